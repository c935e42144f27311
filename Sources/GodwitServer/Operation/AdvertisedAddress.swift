import Logging
import NIOCore
import SIPCore
import Transport

/// Finds something that peers can use where a listening point is bound to all addresses and nothing is configured to be
/// advertised: 0.0.0.0 in a Path or Via leads nowhere.
enum AdvertisedAddress {
    static func completing(_ points: [ListeningPoint], _ logger: Logger) -> [ListeningPoint] {
        points.map { point in
            guard point.advertisedHost == nil, isWildcard(point.address.ip) else { return point }
            var point = point
            point.advertisedHost = ownAddress(isV4: point.address.ip.isV4)
            logger.notice(
                "a listening point is bound to all addresses; set `advertise` to what peers can reach",
                metadata: [
                    "at": "\(point.transport.uriToken):\(point.address)",
                    "advertised": .string(point.advertisedHost ?? ""),
                ])
            return point
        }
    }

    private static func isWildcard(_ ip: IPAddress) -> Bool { ip.isV4 ? ip.v4Bits == 0 : ip.high == 0 && ip.low == 0 }

    /// The first address of this machine that others can reach; the loopback address when there is none.
    private static func ownAddress(isV4: Bool) -> String {
        let devices = (try? System.enumerateDevices()) ?? []
        let addresses = devices.compactMap { $0.address?.ipAddress }
            .compactMap { text in IPAddress(parsing: text.prefix { $0 != "%" }) }
            .filter { $0.isV4 == isV4 && !isLocal($0) }
        guard let first = addresses.first else { return isV4 ? "127.0.0.1" : "[::1]" }
        return isV4 ? "\(first)" : "[\(first)]"
    }

    /// Loopback and link-local addresses.
    private static func isLocal(_ ip: IPAddress) -> Bool {
        ip.isV4
            ? ip.v4Bits >> 24 == 127 || ip.v4Bits >> 16 == 0xa9fe
            : ip.high >> 54 == 0x3fa || (ip.high == 0 && ip.low == 1)
    }
}
