import SIPCore
import Testing

@Suite("Header names")
struct HeaderNameTests {
    @Test(arguments: HeaderName.allCases.filter { $0 != .other })
    func everyNameIsRecognized(_ name: HeaderName) {
        let long = name.longForm.description
        for text in [long, long.lowercased(), long.uppercased(), name.compactForm.description] {
            #expect(HeaderName(text) == name)
        }
        #expect(HeaderName(long + "s") == .other || long == "Accept")
        #expect(HeaderName("x" + long.dropFirst()) == .other || long.count == 1)
    }

    @Test func presenceBitsSuffice() {
        #expect(HeaderName.allCases.allSatisfy { $0.rawValue < 128 })
    }

    /// The registry's one-letter names, RFC 3261 table 1 and those added since.
    @Test(arguments: [
        ("a", "Accept-Contact"), ("b", "Referred-By"), ("c", "Content-Type"), ("d", "Request-Disposition"),
        ("e", "Content-Encoding"), ("f", "From"), ("i", "Call-ID"), ("j", "Reject-Contact"), ("k", "Supported"),
        ("l", "Content-Length"), ("m", "Contact"), ("n", "Identity-Info"), ("o", "Event"), ("r", "Refer-To"),
        ("s", "Subject"), ("t", "To"), ("u", "Allow-Events"), ("v", "Via"), ("x", "Session-Expires"),
        ("y", "Identity"),
    ])
    func compactForm(_ short: String, _ long: String) {
        #expect(HeaderName(short) == HeaderName(long))
        #expect(HeaderName(short.uppercased()).longForm.description == long)
    }

    @Test(arguments: ["", "g", "Vi", "C%6Fntact", "Content_Length", "P-Asserted-Identitx", "Max-Forward", "Call-IDs"])
    func unknown(_ text: String) {
        #expect(HeaderName(text) == .other)
    }

    @Test(arguments: SIPMethod.allCases.filter { $0 != .other })
    func methodsAreRecognized(_ method: SIPMethod) throws {
        let message = try parsed(request(method: method.text.description))
        #expect(message.method == method)
        #expect(try parsed(request(method: method.text.description.lowercased())).method == .other)
    }
}
