import ArgumentParser

@main
struct Godwit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "godwit",
        abstract:
            "A SIP messaging server for slow and intermittent links: it delivers messages, or stores them until it can.",
        discussion: """
            A first session:
              godwit serve --print-default-config > godwit.yaml
                                             write a configuration, then edit it
              godwit user add alice@example.com
                                             make accounts; asks for the password
              godwit serve                   run the server
              godwit doctor                  when something does not work
              godwit queue list              what waits for whom

            Commands that work on the server's data read the same configuration file as
            the server does (--config).

            Exit codes (sysexits): 0 done, 1 a check or delivery failed, 64 wrong usage,
            65 the data is damaged, 66 no such file or entry, 69 the service is not
            available, 70 defect, 73 a file cannot be made, 74 input or output failed, 75
            try again later (something is in use), 77 not permitted, 78 the configuration
            is wrong.
            """,
        version: "0.1.0",
        subcommands: [
            Serve.self, User.self, Queue.self, Running.self, Send.self, Listen.self, Publish.self, PresenceCommand.self,
            Watch.self,
            Doctor.self,
            Simulate.self, SigCompCommand.self,
        ])
}
