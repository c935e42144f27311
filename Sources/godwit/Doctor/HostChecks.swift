import Foundation
import Glibc
import GodwitServer
import LinkProfiles

/// The machine: clock, limits, disk.
enum HostChecks {
    static func clock() -> [Finding] {
        // Older than this program means that the clock was never set.
        let released = Date(timeIntervalSince1970: 1_760_000_000)
        guard Date() > released else {
            return [
                Finding(
                    .wrong, "clock", "the clock says \(Date().formatted(.iso8601)), which is in the past",
                    "set the clock: messages would expire late, and certificates would not be valid yet")
            ]
        }
        let signs = [
            "/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/ntpd.pid",
            "/run/openntpd.pid", "/run/ntpsec.pid",
        ]
        guard signs.contains(where: { FileManager.default.fileExists(atPath: $0) }) else {
            return [
                Finding(
                    .warning, "clock", "no time service was found that keeps the clock right",
                    "run one (systemd-timesyncd, chrony); in a container the host's is enough")
            ]
        }
        return [Finding(.good, "clock", "the clock is kept by a time service")]
    }

    static func limits(_ configuration: ServerConfiguration) -> [Finding] {
        var findings: [Finding] = []
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            let wanted = configuration.connections.connections + 64
            findings.append(
                limit.rlim_max >= rlim_t(wanted)
                    ? Finding(.good, "files", "a process may have \(limit.rlim_max) open files")
                    : Finding(
                        .warning, "files",
                        "a process may have \(limit.rlim_max) open files, limits.connections allows "
                            + "\(configuration.connections.connections) connections",
                        "raise the hard limit (LimitNOFILE= in the systemd unit) or lower limits.connections"))
        }
        if let text = try? String(contentsOfFile: "/proc/sys/net/core/rmem_max", encoding: .utf8),
            let bytes = Int(text.filter(\.isNumber)), bytes < 4 << 20
        {
            findings.append(
                Finding(
                    .warning, "buffers",
                    "the kernel allows receive buffers of \(bytes) bytes; bursts of datagrams will be lost",
                    "sysctl -w net.core.rmem_max=16777216 net.core.wmem_max=16777216"))
        }
        return findings
    }

    static func directory(_ configuration: ServerConfiguration) -> [Finding] {
        let path = configuration.dataDirectory
        guard FileManager.default.fileExists(atPath: path) else {
            return [Finding(.note, "data", "\(path) is not there yet; the server's first start makes it")]
        }
        guard access(path, W_OK | X_OK) == 0 else {
            return [
                Finding(
                    .wrong, "data", "\(path) cannot be written by this user",
                    "run this as the server's user, or chown it")
            ]
        }
        var findings: [Finding] = []
        var system = statvfs()
        if statvfs(path, &system) == 0 {
            let free = Int(system.f_bavail) * Int(system.f_frsize)
            let text = "\(free >> 20) MiB are free in \(path)"
            switch free {
            case ..<(64 << 20): findings.append(Finding(.wrong, "disk", text, "free some: the store cannot grow"))
            case ..<(1 << 30): findings.append(Finding(.warning, "disk", text, "plan for more"))
            default: findings.append(Finding(.good, "disk", text))
            }
        }
        if let kind = fileSystem(of: path), kind.hasPrefix("nfs") || ["cifs", "smb3", "9p", "ceph"].contains(kind) {
            findings.append(
                Finding(
                    .wrong, "disk", "\(path) is on a network file system (\(kind))",
                    "move it to a local disk: locks do not hold there"))
        }
        return findings + secret(configuration)
    }

    /// Type of the file system a path lies on, from the longest mount point that leads to it.
    private static func fileSystem(of path: String) -> String? {
        let whole = URL(filePath: path).standardizedFileURL.path + "/"
        guard let mounts = try? String(contentsOfFile: "/proc/mounts", encoding: .utf8) else { return nil }
        var longest = 0
        var kind: String?
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2 else { continue }
            let point = fields[1] == "/" ? "/" : "\(fields[1])/"
            guard whole.hasPrefix(point), point.utf8.count > longest else { continue }
            longest = point.utf8.count
            kind = String(fields[2])
        }
        return kind
    }

    private static func secret(_ configuration: ServerConfiguration) -> [Finding] {
        var status = stat()
        guard stat(configuration.secretPath, &status) == 0 else { return [] }
        if status.st_mode & 0o077 != 0 {
            return [
                Finding(
                    .wrong, "secret", "\(configuration.secretPath) can be read by others",
                    "chmod 600 \(configuration.secretPath)")
            ]
        }
        if status.st_size != 32 {
            return [
                Finding(
                    .wrong, "secret", "\(configuration.secretPath) holds \(status.st_size) bytes instead of 32",
                    "restore it from a backup, or remove it: a new one is made")
            ]
        }
        return [Finding(.good, "secret", "the installation's secret is in order")]
    }
}
