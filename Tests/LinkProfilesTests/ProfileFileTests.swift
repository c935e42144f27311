import Foundation
import LinkProfiles
import Testing

@Suite("Profile files")
struct ProfileFileTests {
    private static let directory = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "profiles").path

    @Test func everyShippedProfileLoads() throws {
        let profiles = try LinkProfileDirectory.load(path: Self.directory)
        for name in ["lan", "gprs", "vsat-geo", "hf-radio"] {
            let profile = try #require(profiles[name])
            #expect(profile.name == name)
            #expect(!profile.summary.isEmpty)
        }
    }

    @Test func lanFileSaysWhatIsBuiltIn() throws {
        var builtIn = LinkProfile()
        let lan = try LinkProfile.load(path: "\(Self.directory)/lan.yaml")
        builtIn.summary = lan.summary
        #expect(lan == builtIn)
    }

    @Test(arguments: ["lan", "gprs", "vsat-geo", "hf-radio"])
    func shippedFilesNameEveryKey(name: String) throws {
        let text = try String(contentsOfFile: "\(Self.directory)/\(name).yaml", encoding: .utf8)
        let keys = LinkProfile().yaml.split(separator: "\n").map { $0.prefix { $0 != ":" } + ":" }
        for key in keys {
            #expect(text.contains("\n\(key)"), "\(name).yaml does not hold `\(key)`")
        }
    }

    @Test(arguments: ["lan", "gprs", "vsat-geo", "hf-radio"])
    func writtenFormReadsBackTheSame(name: String) throws {
        let profile = try LinkProfile.load(path: "\(Self.directory)/\(name).yaml")
        #expect(try LinkProfile.parse(profile.yaml, name: name, file: "memory") == profile)
    }

    @Test func slowerLinksWaitLonger() throws {
        let profiles = try LinkProfileDirectory.load(path: Self.directory)
        let t1 = ["lan", "vsat-geo", "gprs", "hf-radio"].compactMap { profiles[$0]?.t1 }
        #expect(t1.count == 4 && t1 == t1.sorted())
    }

    @Test func aBudgetIsRead() throws {
        let text =
            "downlink: {rate: 300, burst: 1KiB, packet-rate: 0.5, outstanding: 3, quiet-hours: [\"22:00-06:00\"]}"
        let budget = try LinkProfile.parse(text, name: "x", file: "x.yaml").budget
        #expect(budget.byteRate == 300 && budget.burst == 1_024 && budget.packetRate == 0.5 && budget.outstanding == 3)
        #expect(budget.quietHours.map(\.text) == ["22:00-06:00"])
        #expect(!budget.isUnlimited && LinkProfile().budget.isUnlimited)
        #expect(budget.airtime(bytes: 600) == .seconds(2 as Int64))
        #expect(budget.airtime(bytes: 1) == .microseconds(3_334))
    }

    @Test func absentKeysKeepTheValuesOfLan() throws {
        let profile = try LinkProfile.parse("transactions: {t1: 700ms}", name: "x", file: "x.yaml")
        #expect(profile.t1 == .milliseconds(700))
        #expect(profile.t2 == LinkProfile().t2)
    }

    @Test(arguments: [
        ("transactions:\n  t1: 500", "x.yaml:2: transactions.t1: `500` is not a duration"),
        ("transactions:\n  t1: 1us", "x.yaml:2: transactions.t1: 1us is out of range; it must be 10ms to 2m"),
        ("transactions:\n\n  t9: 1s", "x.yaml:3: transactions.t9: unknown key; did you mean"),
        ("flush:\n  order: random", "x.yaml:2: flush.order: `random` is none of recipient, sender"),
        ("flush:\n  window: many", "x.yaml:2: flush.window: `many` is not a whole number"),
        ("flush: 5", "x.yaml:1: flush: must be a section"),
        ("colour: blue", "x.yaml:1: colour: unknown key; known here: deferred, downlink, flush"),
        ("sizes:\n  compact-headers: perhaps", "x.yaml:2: sizes.compact-headers: `perhaps` is neither true nor false"),
        ("sizes:\n  datagram-limit: 1.3k", "x.yaml:2: sizes.datagram-limit: `1.3k` is not a size"),
        ("sizes:\n  datagram-limit: 2000\n  message-limit: 1500", "x.yaml:2: sizes.datagram-limit: 2000 is larger"),
        ("retry:\n  jitter: 0.9", "x.yaml:2: retry.jitter: 0.9 is out of range; it must be 0.0 to 0.5"),
        ("retry: {initial: 10m, maximum: 1m}", "x.yaml:1: retry.maximum: 1m is shorter than initial (10m)"),
        ("transactions: {t1: 5s, t2: 4s}", "x.yaml:1: transactions.t2: 4s is shorter than t1 (5s)"),
        ("relay: {patience: 5m}", "x.yaml:1: relay.patience: 5m is longer than a transaction lives"),
        ("registration: {default: 10s}", "x.yaml:1: registration.default: minimum (1m), default (10s)"),
        ("streams: {idle: 10s}", "streams.message-completion: 30s is longer than idle (10s)"),
        ("downlink:\n  quiet-hours: [\"22-06\"]", "x.yaml:2: downlink.quiet-hours: must be a list of parts of the day"),
        ("downlink: {quiet-hours: [\"06:00-18:00\", \"18:00-06:00\"]}", "downlink.quiet-hours: cover the whole day"),
        ("downlink: {listens-every: 10m}", "downlink.listens-for: is missing; without it nothing would ever leave"),
        ("downlink: {listens-for: 10m}", "downlink.listens-every: is missing; listens-for and listens-at mean"),
        (
            "downlink: {listens-every: 1m, listens-for: 2m}",
            "downlink.listens-for: 2m is longer than listens-every (1m)"
        ),
        ("downlink: {bundle: 5s}", "downlink.awake: is missing; without it every notification would wait"),
        ("downlink:\n  rate: fast", "x.yaml:2: downlink.rate: `fast` is not a size"),
        ("downlink:\n  packet-burst: 0", "x.yaml:2: downlink.packet-burst: 0 is out of range; it must be 1 to 1000000"),
        ("transactions:\n  t1:", "x.yaml:2: transactions.t1: has no value"),
        ("retry: {initial: [1s]}", "x.yaml:1: retry.initial: must be a single value"),
        ("a: b: c", "x.yaml:1: is not valid YAML"),
        ("flush: {window: 1}\nflush: {window: 2}", "has the same key twice: flush"),
        ("- a\n- b", "x.yaml:1: must be a list of `key: value` lines"),
    ])
    func mistakesAreRefusedWithPlaceKeyAndReason(text: String, expected: String) {
        let failure = #expect(throws: SettingsFailure.self) {
            try LinkProfile.parse(text, name: "x", file: "x.yaml")
        }
        #expect(failure?.description.contains(expected) == true, "got: \(failure?.description ?? "nothing")")
    }

    @Test func everyMistakeIsReportedAtOnce() {
        let failure = #expect(throws: SettingsFailure.self) {
            try LinkProfile.parse("transactions: {t1: x}\nflush: {window: 0}\nnonsense: 1", name: "x", file: "x.yaml")
        }
        #expect(failure?.problems.map(\.key) == ["transactions.t1", "flush.window", "nonsense"])
    }

    @Test func directoryThatIsNotThereIsNamed() {
        let failure = #expect(throws: SettingsFailure.self) { try LinkProfileDirectory.load(path: "no/such/directory") }
        #expect(failure?.description == "no/such/directory: no such directory, or it cannot be read")
    }

    @Test func fileThatIsNotThereIsNamed() {
        let failure = #expect(throws: SettingsFailure.self) { try LinkProfile.load(path: "nowhere.yaml") }
        #expect(failure?.description == "nowhere.yaml: no such file")
    }
}
