import ArgumentParser

struct SigCompCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sigcomp",
        abstract: "Look into SigComp messages, make them, and make UDVM bytecode (RFC 3320).",
        discussion: """
            Works on files alone; no configuration is read and no server is asked.

            Messages and bytecode are read as they are, or as hexadecimal text, where a
            line is a message and `;` or `#` begins a comment. Which of both is found out
            from the bytes; --input says it.

            Exit codes: 0 done, 1 at least one message could not be decompressed, 64 wrong
            usage, 65 the input is not what it should be (an error in a source is shown
            with its line), 66 no such file, 73 a file cannot be made, 74 input or output
            failed.
            """,
        subcommands: [
            SigCompAssemble.self, SigCompDisassemble.self, SigCompTrace.self, SigCompDecompress.self,
            SigCompCompress.self, SigCompStats.self,
        ])
}
