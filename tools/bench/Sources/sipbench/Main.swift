import Glibc

@main
struct SIPBench {
    static func main() {
        guard let settings = Settings(Array(CommandLine.arguments.dropFirst())) else {
            complain(Settings.usage + "\n")
            exit(64)
        }
        signal(SIGPIPE, SIG_IGN)
        if settings.mode == .list { return list(Ledger(reading: settings.ledger)) }
        let earlier = settings.mode == .deliver ? Ledger(reading: settings.ledger) : nil
        let generator = Generator(settings: settings, ledger: earlier)
        var report = Report()
        report.add("mode", text: settings.mode.rawValue)
        report.add("run", generator.ledger.run)
        switch settings.mode {
        case .register: register(generator, &report)
        case .relay: relay(generator, &report)
        case .store: store(generator, &report)
        case .deliver: deliver(generator, &report)
        case .list: break
        }
        report.add("statuses", generator.statuses)
        report.add("given_up", generator.gaveUp)
        report.add("retransmissions", generator.retransmissions)
        report.add("send_errors", generator.sendErrors)
        report.add("generator_cpu_s", ownProcessorTime())
        print(report.line)
    }

    private static func list(_ ledger: Ledger) {
        for (place, outcome) in ledger.outcomes.enumerated() {
            print(ledger.first + place % ledger.users, place / ledger.users, outcome)
        }
    }

    private static func register(_ generator: Generator, _ report: inout Report) {
        var span = 0.0
        for round in 0..<generator.settings.passes { span += generator.register(round: round) }
        generator.listen(for: generator.settings.linger)
        report.add("registered", generator.registered)
        report.add("per_s", Double(generator.registered) / span)
        report.add("response_ms", generator.responses)
    }

    private static func relay(_ generator: Generator, _ report: inout Report) {
        _ = generator.register(round: 0)
        let start = now()
        let (sent, _) = generator.send()
        generator.awaitDeliveries(generator.acknowledged)
        report.add("sent", sent)
        report.add("acknowledged", generator.acknowledged)
        report.add("per_s", Double(generator.check.firstCopies) / (Double(generator.lastDelivery - start) / 1e9))
        report.add("delivery_ms", generator.deliveries)
        report.add("response_ms", generator.responses)
        reportCheck(generator, &report)
    }

    private static func store(_ generator: Generator, _ report: inout Report) {
        let (sent, span) = generator.send()
        generator.listen(for: generator.settings.linger)
        report.add("sent", sent)
        report.add("acknowledged", generator.acknowledged)
        report.add("per_s", Double(generator.acknowledged) / span)
        report.add("response_ms", generator.responses)
        if !generator.settings.ledger.isEmpty { generator.ledger.write(to: generator.settings.ledger) }
    }

    private static func deliver(_ generator: Generator, _ report: inout Report) {
        let expected = generator.ledger.acknowledged
        report.add("expected", expected)
        for pass in 0..<generator.settings.passes {
            if pass > 0 { generator.listen(for: generator.settings.passGap) }
            let start = now()
            let before = generator.check.firstCopies
            _ = generator.register(round: pass)
            generator.awaitDeliveries(expected)
            let copies = generator.check.firstCopies - before
            report.add("pass\(pass + 1)_copies", copies)
            if pass == 0 { report.add("seconds", copies > 0 ? Double(generator.lastDelivery - start) / 1e9 : 0) }
        }
        generator.listen(for: generator.settings.linger)
        reportCheck(generator, &report)
    }

    private static func reportCheck(_ generator: Generator, _ report: inout Report) {
        report.add("delivered", generator.check.firstCopies)
        report.add("lost", generator.check.lost(generator.ledger))
        report.add("duplicates", generator.check.duplicates)
        report.add("reordered", generator.check.reordered)
        report.add("altered", generator.check.altered)
        report.add("retyped", generator.check.retyped)
        report.add("misrouted", generator.check.misrouted)
        report.add("foreign", generator.check.foreign)
        report.add("absorbed", generator.check.retransmissions)
    }
}
