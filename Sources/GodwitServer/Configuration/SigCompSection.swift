import LinkProfiles
import SIPCore
import SigComp
import Transport

extension ConfigurationReader {
    func readSigComp(into configuration: inout ServerConfiguration) {
        let section = root.section("sigcomp")
        var settings = SigCompSettings()
        section.flag("enabled").map { settings.isEnabled = $0 }
        if let identifier = section.string("identifier") {
            if !Self.isURN(identifier) {
                section.refuse("identifier", "`\(identifier)` is not a URN such as urn:uuid:… (RFC 5049 section 9.1)")
            }
            settings.identifier = identifier
        }
        readOffer(section, into: &settings)
        readAlgorithms(section, into: &settings)
        settings.peers = readPeers(section)
        section.integer("compartments", in: 16...10_000_000).map { settings.compartments = $0 }
        section.size("compartment-bytes", in: 1_048_576...1 << 40).map { settings.compartmentBytes = $0 }
        section.duration("compartment-lifetime", in: .seconds(60 as Int64) ... .seconds(365 * 86_400 as Int64))
            .map { settings.compartmentLifetime = $0 }
        section.integer("nacks-per-source", in: 0...1_000_000).map { settings.nacksPerSource = $0 }
        section.integer("nacks", in: 0...1_000_000).map { settings.nacks = $0 }
        configuration.sigcomp = settings
    }

    /// Memory and cycles, which a peer is told in steps of two (RFC 3320 section 3.3.1) and not below the least of RFC 5049
    /// section 4.
    private func readOffer(_ section: SettingsSection, into settings: inout SigCompSettings) {
        section.size("memory", in: 8_192...131_072).map { settings.memory = $0 }
        section.size("state-memory", in: 2_048...131_072).map { settings.stateMemory = $0 }
        section.integer("cycles-per-bit", in: 16...128).map { settings.cyclesPerBit = $0 }
        let offered = SigCompParameters(
            cyclesPerBit: settings.cyclesPerBit, decompressionMemorySize: settings.memory,
            stateMemorySize: settings.stateMemory)
        if offered.decompressionMemorySize != settings.memory {
            section.refuse("memory", "\(settings.memory) is not 8192, 16384, 32768, 65536 or 131072")
        }
        if offered.stateMemorySize != settings.stateMemory {
            section.refuse(
                "state-memory", "\(settings.stateMemory) is not 2048, 4096, 8192, 16384, 32768, 65536 or 131072")
        }
        if offered.cyclesPerBit != settings.cyclesPerBit {
            section.refuse("cycles-per-bit", "\(settings.cyclesPerBit) is not 16, 32, 64 or 128")
        }
    }

    private func readAlgorithms(_ section: SettingsSection, into settings: inout SigCompSettings) {
        section.flag("sharing").map { settings.isSharing = $0 }
        guard let names = section.strings("algorithms") else { return }
        settings.algorithms = names.compactMap { name in
            let algorithm = CompressionAlgorithm(rawValue: name)
            if algorithm == nil {
                let known = CompressionAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
                section.refuse("algorithms", "`\(name)` is none of \(known)")
            }
            return algorithm
        }
        if Set(names).count < names.count { section.refuse("algorithms", "names an algorithm twice") }
        if names.isEmpty {
            section.refuse("algorithms", "at least one is needed; `enabled: false` switches SigComp off")
        }
    }

    private func readPeers(_ section: SettingsSection) -> [CompressedPeer] {
        (section.sections("peers", shorthand: "at") ?? []).compactMap { item in
            let identifier = item.string("identifier")
            let isPair = item.flag("pair") ?? false
            if let identifier, !Self.isURN(identifier) {
                item.refuse("identifier", "`\(identifier)` is not a URN such as urn:uuid:…")
            }
            guard let text = item.string("at") else {
                if !item.has("at") { item.refuse("at", "is needed, such as 192.0.2.7:5060") }
                return nil
            }
            if let network = NetworkPrefix(text) {
                return CompressedPeer(network: network, identifier: identifier, isPair: isPair)
            }
            guard let address = HostPort(text)?.address, address.port > 0 else {
                item.refuse(
                    "at", "`\(text)` is neither an IP address, with a port or without, nor a network (10.0.0.0/8)")
                return nil
            }
            let network = NetworkPrefix(high: address.ip.high, low: address.ip.low, length: 128)
            return CompressedPeer(network: network, port: address.port, identifier: identifier, isPair: isPair)
        }
    }

    private static func isURN(_ text: String) -> Bool {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        let plain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\"<>;,?@\\".utf8.contains($0) }
        return parts.count == 3 && parts[0].lowercased() == "urn" && !parts[1].isEmpty && !parts[2].isEmpty && plain
    }
}
