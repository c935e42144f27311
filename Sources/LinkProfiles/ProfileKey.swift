/// One key of a profile file: where its value goes, what it may be, and what it is for.
struct ProfileKey: Sendable {
    enum Place: Sendable {
        case duration(any WritableKeyPath<LinkProfile, TimeSpan> & Sendable, ClosedRange<TimeSpan>)
        case size(any WritableKeyPath<LinkProfile, Int> & Sendable, ClosedRange<Int>)
        case count(any WritableKeyPath<LinkProfile, Int> & Sendable, ClosedRange<Int>)
        case multiple(any WritableKeyPath<LinkProfile, Int64> & Sendable, ClosedRange<Int>)
        case share(any WritableKeyPath<LinkProfile, Double> & Sendable, ClosedRange<Double>)
        case flag(any WritableKeyPath<LinkProfile, Bool> & Sendable)
        case order(any WritableKeyPath<LinkProfile, FlushOrder> & Sendable)
        case periods(any WritableKeyPath<LinkProfile, [DayPeriod]> & Sendable)
    }

    /// Section and key, `flush.window`; no dot for a key at the top.
    let name: String
    let place: Place

    /// Every key a profile file may hold, in the order they are documented.
    static let all: [ProfileKey] = [
        ProfileKey(name: "transactions.t1", place: .duration(\.t1, .milliseconds(10) ... .minutes(2))),
        ProfileKey(name: "transactions.t2", place: .duration(\.t2, .milliseconds(10) ... .minutes(10))),
        ProfileKey(name: "transactions.t4", place: .duration(\.t4, .milliseconds(10) ... .minutes(10))),
        ProfileKey(name: "transactions.lifetime-in-t1", place: .multiple(\.transactionLifetimeInT1, 8...1_000)),
        ProfileKey(name: "transactions.timer-c", place: .duration(\.timerC, .minutes(3) ... .minutes(60))),
        ProfileKey(name: "sizes.datagram-limit", place: .size(\.datagramLimit, 200...65_507)),
        ProfileKey(name: "sizes.message-limit", place: .size(\.messageLimit, 1_300...16_777_216)),
        ProfileKey(name: "sizes.compact-headers", place: .flag(\.compactHeaders)),
        ProfileKey(name: "relay.patience", place: .duration(\.relayPatience, .milliseconds(50) ... .minutes(60))),
        ProfileKey(name: "downlink.rate", place: .size(\.budget.byteRate, 0...1_000_000_000)),
        ProfileKey(name: "downlink.burst", place: .size(\.budget.burst, 0...1_000_000_000)),
        ProfileKey(name: "downlink.packet-overhead", place: .count(\.budget.packetOverhead, 0...1_000)),
        ProfileKey(name: "downlink.packet-rate", place: .share(\.budget.packetRate, 0...1_000_000)),
        ProfileKey(name: "downlink.packet-burst", place: .count(\.budget.packetBurst, 1...1_000_000)),
        ProfileKey(name: "downlink.outstanding", place: .count(\.budget.outstanding, 0...10_000)),
        ProfileKey(name: "downlink.quiet-hours", place: .periods(\.budget.quietHours)),
        ProfileKey(name: "downlink.listens-every", place: .duration(\.budget.listensEvery, .zero ... .days(7))),
        ProfileKey(name: "downlink.listens-for", place: .duration(\.budget.listensFor, .zero ... .days(7))),
        ProfileKey(name: "downlink.listens-at", place: .duration(\.budget.listensAt, .zero ... .days(7))),
        ProfileKey(name: "downlink.bundle", place: .duration(\.budget.bundling, .zero ... .hours(24))),
        ProfileKey(name: "downlink.awake", place: .duration(\.budget.awake, .zero ... .hours(24))),
        ProfileKey(name: "flush.window", place: .count(\.flushWindow, 1...1_000)),
        ProfileKey(name: "flush.order", place: .order(\.flushOrder)),
        ProfileKey(name: "flush.byte-rate", place: .size(\.flushByteRate, 0...1_000_000_000)),
        ProfileKey(name: "flush.burst", place: .size(\.flushBurst, 200...1_000_000_000)),
        ProfileKey(name: "retry.initial", place: .duration(\.retryInitial, .milliseconds(100) ... .days(1))),
        ProfileKey(name: "retry.maximum", place: .duration(\.retryMaximum, .seconds(1 as Int64) ... .days(30))),
        ProfileKey(name: "retry.jitter", place: .share(\.retryJitter, 0...0.5)),
        ProfileKey(name: "deferred.lifetime", place: .duration(\.deferredLifetime, .minutes(1) ... .days(3_650))),
        ProfileKey(
            name: "registration.minimum", place: .duration(\.registrationMinimum, .seconds(1 as Int64) ... .hours(1))),
        ProfileKey(
            name: "registration.maximum", place: .duration(\.registrationMaximum, .minutes(1) ... .days(365))),
        ProfileKey(
            name: "registration.default", place: .duration(\.registrationDefault, .seconds(1 as Int64) ... .days(365))),
        ProfileKey(
            name: "registration.flow-timer", place: .duration(\.flowTimer, .seconds(10 as Int64) ... .days(1))),
        ProfileKey(name: "streams.idle", place: .duration(\.connectionIdle, .seconds(1 as Int64) ... .days(7))),
        ProfileKey(
            name: "streams.message-completion",
            place: .duration(\.messageCompletion, .milliseconds(100) ... .hours(1))),
        ProfileKey(
            name: "streams.connect", place: .duration(\.connectTimeout, .milliseconds(100) ... .minutes(10))),
        ProfileKey(name: "sigcomp.enabled", place: .flag(\.offersSigComp)),
        ProfileKey(name: "sigcomp.authentication", place: .flag(\.sigcompNeedsAuthentication)),
    ]

    /// Takes the key's value, when there is one, from the section that holds it.
    func read(_ key: String, from section: SettingsSection, into profile: inout LinkProfile) {
        switch place {
        case .duration(let path, let bounds): section.duration(key, in: bounds).map { profile[keyPath: path] = $0 }
        case .size(let path, let bounds): section.size(key, in: bounds).map { profile[keyPath: path] = $0 }
        case .count(let path, let bounds): section.integer(key, in: bounds).map { profile[keyPath: path] = $0 }
        case .multiple(let path, let bounds):
            section.integer(key, in: bounds).map { profile[keyPath: path] = Int64($0) }
        case .share(let path, let bounds): section.number(key, in: bounds).map { profile[keyPath: path] = $0 }
        case .flag(let path): section.flag(key).map { profile[keyPath: path] = $0 }
        case .order(let path): section.choice(key).map { profile[keyPath: path] = $0 }
        case .periods(let path): Self.periods(key, from: section).map { profile[keyPath: path] = $0 }
        }
    }

    /// The value a profile has for the key, as a file writes it.
    func text(of profile: LinkProfile) -> String {
        switch place {
        case .duration(let path, _): profile[keyPath: path].text
        case .size(let path, _): ByteSize.text(profile[keyPath: path])
        case .count(let path, _): String(profile[keyPath: path])
        case .multiple(let path, _): String(profile[keyPath: path])
        case .share(let path, _): String(profile[keyPath: path])
        case .flag(let path): String(profile[keyPath: path])
        case .order(let path): profile[keyPath: path].rawValue
        case .periods(let path): "[\(profile[keyPath: path].map { "\"\($0.text)\"" }.joined(separator: ", "))]"
        }
    }

    private static func periods(_ key: String, from section: SettingsSection) -> [DayPeriod]? {
        guard let texts = section.strings(key) else { return nil }
        let periods = texts.compactMap { DayPeriod($0) }
        guard periods.count == texts.count else {
            section.refuse(key, "must be a list of parts of the day in UTC, such as [\"22:00-06:00\"]")
            return nil
        }
        return periods
    }
}

extension TimeSpan {
    static func minutes(_ n: Int64) -> TimeSpan { .seconds(n * 60) }
    static func hours(_ n: Int64) -> TimeSpan { .seconds(n * 3_600) }
    static func days(_ n: Int64) -> TimeSpan { .seconds(n * 86_400) }
}
