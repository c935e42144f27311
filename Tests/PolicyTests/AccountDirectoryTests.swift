import MessageStore
import Testing

@testable import Policy

@Suite struct AccountDirectoryTests {
    @Test func findsEveryAccountAndNoOther() {
        let digest = String(repeating: "ab", count: 32)
        let accounts = (0..<2_000).map {
            Account(
                username: "user\($0)", domain: $0 % 2 == 0 ? "a.example" : "B.example", realm: "r",
                digests: ["SHA-256": digest])
        }
        let directory = AccountDirectory(accounts)
        #expect(directory.count == 2_000)
        #expect(directory.refused.isEmpty)
        for n in 0..<2_000 {
            #expect(directory.contains(username: "user\(n)", domain: n % 2 == 0 ? "A.Example" : "b.example"))
            #expect(!directory.contains(username: "user\(n)", domain: n % 2 == 0 ? "b.example" : "a.example"))
        }
        #expect(!directory.contains(username: "user2000", domain: "a.example"))
        #expect(!directory.contains(username: "User1", domain: "b.example"))
        #expect(!AccountDirectory([]).contains(username: "user1", domain: "a.example"))
    }

    @Test func givesBackTheDigests() throws {
        let account = Account(username: "alice", domain: "example.com", realm: "r", password: "pw", profile: "hf-radio")
        let directory = AccountDirectory([account])
        let index = try #require(directory.find(Array("alice".utf8)[...], domain: Array("Example.COM".utf8)[...]))
        for algorithm in DigestAlgorithm.allCases {
            var text: [UInt8] = []
            #expect(directory.appendDigest(of: index, algorithm, to: &text))
            #expect(String(decoding: text, as: UTF8.self) == account.digests[algorithm.token])
        }
        #expect(
            directory.user(index) == AuthenticatedUser(username: "alice", domain: "example.com", profile: "hf-radio"))
    }

    @Test func leavesOutWhatIsDamaged() {
        let directory = AccountDirectory([
            Account(username: "short", domain: "example.com", realm: "r", digests: ["MD5": "abcd"]),
            Account(
                username: "text", domain: "example.com", realm: "r",
                digests: ["MD5": String(repeating: "zz", count: 16)]),
            Account(username: "", domain: "example.com", realm: "r", digests: [:]),
            Account(
                username: "fine", domain: "example.com", realm: "r",
                digests: ["MD5": String(repeating: "0A", count: 16)]),
        ])
        #expect(directory.refused == ["short@example.com", "text@example.com", "@example.com"])
        #expect(directory.count == 1)
    }

    @Test func theLaterOfTwoCounts() throws {
        let digest = String(repeating: "00", count: 16)
        let directory = AccountDirectory([
            Account(username: "a", domain: "d", realm: "r", digests: ["MD5": digest], profile: "old"),
            Account(username: "a", domain: "D", realm: "r", digests: ["MD5": digest], profile: "new"),
        ])
        let index = try #require(directory.find(Array("a".utf8)[...]))
        #expect(directory.user(index).profile == "new")
    }

    @Test func keepsNoPassword() {
        let account = Account(username: "alice", domain: "example.com", realm: "r", password: "s3cret-word")
        #expect(!"\(account)".contains("s3cret-word"))
        #expect(Set(account.digests.keys) == ["MD5", "SHA-256", "SHA-512-256"])
    }
}
