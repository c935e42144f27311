import Engine
import Foundation
import LinkProfiles
import Presence
import SIPCore
import SIPDialog

extension ConfigurationReader {
    func readPresence(into configuration: inout ServerConfiguration) {
        let section = root.section("presence")
        var presence = configuration.presence
        section.flag("enabled").map { presence.isEnabled = $0 }
        section.choice("unruled-watchers", UnruledWatchers.self).map { presence.unruledWatchers = $0.handling }
        presence.publishers = identities("publishers", in: section)
        presence.observers = identities("observers", in: section)
        section.flag("registrations").map { presence.includesRegistrations = $0 }
        if let activities = section.strings("busy-activities") { presence.undisturbedActivities = Set(activities) }
        readLives("subscriptions", in: section, into: &presence.subscriptions)
        readLives("publications", in: section, into: &presence.publications)
        section.integer("subscriptions-per-watcher", in: 1...1_000_000).map { presence.subscriptionsPerWatcher = $0 }
        section.integer("subscriptions-in-all", in: 1...100_000_000).map { presence.subscriptionsInAll = $0 }
        section.integer("publications-per-user", in: 1...64).map { presence.publicationsPerPresentity = $0 }
        section.size("document-size", in: 1_024...1 << 20).map { presence.bodyLimit = $0 }
        section.duration("notification-interval", in: .zero ... .seconds(86_400 as Int64))
            .map { presence.rates.maximum = Self.rate(oneIn: $0) }
        section.integer("resumptions-per-second", in: 10...1_000_000).map { presence.resumptionsPerSecond = $0 }
        presence.externalSources = readExternalSources(in: section, of: configuration.domains)
        configuration.presence = presence
    }

    /// `external`: servers that know when users of ours are there.
    private func readExternalSources(in presence: SettingsSection, of domains: [String]) -> [ExternalEventSource] {
        (presence.sections("external") ?? []).compactMap { item in
            let package = item.choice("event", ExternalEventSource.Package.self) ?? .presence
            guard let server = required("server", in: item), let identity = required("as", in: item) else { return nil }
            guard let account = Self.account(identity) else {
                item.refuse("as", "`\(identity)` is not of the form user@domain")
                return nil
            }
            let domain = item.string("domain")?.lowercased() ?? domains.first ?? ""
            if !domains.contains(domain) { item.refuse("domain", "`\(domain)` is not served here") }
            do throws(NextHop.Refusal) {
                let hop = try NextHop(server)
                return ExternalEventSource(
                    package: package, domain: domain, host: hop.host, port: hop.port,
                    transport: hop.transport?.uriToken, identity: "sip:\(account)", password: password(in: item))
            } catch {
                item.refuse("server", error.reason)
                return nil
            }
        }
    }

    /// The first line of the file that `password-file` names.
    private func password(in section: SettingsSection) -> String? {
        guard let file = existingFile("password-file", in: section),
            let data = FileManager.default.contents(atPath: file)
        else { return nil }
        return String(decoding: data.prefix { $0 != 0x0a && $0 != 0x0d }, as: UTF8.self)
    }

    private func readLives(_ name: String, in presence: SettingsSection, into limits: inout LifeLimits) {
        let section = presence.section(name)
        let range = TimeSpan.seconds(1 as Int64) ... .seconds(30 * 86_400 as Int64)
        section.duration("minimum", in: range).map { limits.minimum = $0 }
        section.duration("maximum", in: range).map { limits.maximum = $0 }
        section.duration("default", in: range).map { limits.standard = $0 }
        if limits.minimum > limits.standard || limits.standard > limits.maximum {
            section.refuse("default", "must lie between minimum and maximum")
        }
    }

    /// Users as `sip:user@domain`.
    private func identities(_ key: String, in section: SettingsSection) -> [String] {
        (section.strings(key) ?? []).compactMap { text in
            guard let account = Self.account(text) else {
                section.refuse(key, "`\(text)` is not of the form user@domain")
                return nil
            }
            return "sip:\(account)"
        }
    }

    /// In millionths a second (RFC 6446); 0 for none.
    private static func rate(oneIn interval: TimeSpan) -> UInt32 {
        guard interval > .zero else { return 0 }
        return UInt32(clamping: max(1, min(99_999_999, 1_000_000_000_000 / interval.microseconds)))
    }
}

/// What watchers get who are in nobody's rules (RFC 5025 section 3.2.1).
private enum UnruledWatchers: String, CaseIterable {
    case block, confirm, politeBlock = "polite-block", allow

    var handling: SubscriptionHandling {
        switch self {
        case .block: .block
        case .confirm: .confirm
        case .politeBlock: .politeBlock
        case .allow: .allow
        }
    }
}
