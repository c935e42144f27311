import LinkProfiles
import SIPCore

extension Registration {
    /// The header fields of a 200 (RFC 3261 section 10.3 step 8, RFC 3327 section 5.3, RFC 3608 section 6.4, RFC 5626 section 6).
    func tail(bindings: BindingList?, _ configuration: RegistrarConfiguration) -> [UInt8] {
        var writer = MessageWriter(capacity: 256, compact: profile.compactHeaders)
        if let bindings {
            for binding in bindings { append(binding, to: &writer) }
        }
        if !path.isEmpty {
            writer.appendName(.path)
            writer.append(path)
            writer.appendLineEnd()
        }
        if !configuration.serviceRoute.isEmpty {
            writer.appendName(.serviceRoute)
            writer.append(configuration.serviceRoute)
            writer.appendLineEnd()
        }
        if usesOutbound {
            writer.append("Require: outbound\r\n")
            if request.viaCount <= 1 {
                writer.append("Flow-Timer: ")
                writer.append(decimal: max(1, profile.flowTimer.microseconds / 1_000_000))
                writer.appendLineEnd()
            }
        }
        writer.appendName(.supported)
        writer.append("path, outbound\r\n")
        writer.append("Date: ")
        writer.append(SIPDate.format(now.unixSeconds))
        writer.appendLineEnd()
        return writer.bytes
    }

    private func append(_ binding: Binding, to writer: inout MessageWriter) {
        let left = binding.expiresAt - now
        guard left > .zero else { return }
        writer.appendName(.contact)
        writer.append("<")
        writer.append(binding.contact)
        writer.append(">;expires=")
        writer.append(decimal: max(1, left.microseconds / 1_000_000))
        if binding.q != 1_000 {
            writer.append(";q=0.")
            writer.append(byte: 0x30 + UInt8(binding.q / 100))
            writer.append(byte: 0x30 + UInt8(binding.q / 10 % 10))
            writer.append(byte: 0x30 + UInt8(binding.q % 10))
        }
        writer.append(binding.parameters)
        writer.appendLineEnd()
    }
}
