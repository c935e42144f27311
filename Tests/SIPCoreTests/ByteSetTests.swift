import Testing

@testable import SIPCore

@Suite("Character sets of RFC 3261 section 25.1")
struct ByteSetTests {
    static let alphanum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    static let unreserved = alphanum + "-_.!~*'()"

    private func expect(_ set: ByteSet, is characters: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let expected = Set(characters.utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(set.contains(byte) == expected.contains(byte), "byte \(byte)", sourceLocation: sourceLocation)
        }
    }

    @Test func wordsAgreeWithTheGrammar() {
        expect(.token, is: Self.alphanum + "-.!%*_+`'~")
        expect(.callID, is: Self.alphanum + "-.!%*_+`'~()<>:\\\"/[]?{}" + "@")
        expect(.unreserved, is: Self.unreserved)
        expect(.user, is: Self.unreserved + "&=+$,;?/")
        expect(.password, is: Self.unreserved + "&=+$,")
        expect(.parameter, is: Self.unreserved + "[]/:&+$")
        expect(.uriHeader, is: Self.unreserved + "[]/?:+$")
        expect(.hostname, is: Self.alphanum + "-._")
        expect(.ipv6, is: "0123456789abcdefABCDEF:.")
        expect(.anyURI, is: Self.alphanum + "-._~:/?#[]@!$&'()*+,;=%")
        expect(.parameterValue, is: Self.alphanum + "-.!%*_+`'~[]:")
        expect(.scheme, is: Self.alphanum + "+-.")
    }
}
