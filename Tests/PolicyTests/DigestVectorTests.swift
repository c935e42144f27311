import Testing

@testable import Policy

/// The worked examples of RFC 7616 section 3.9 and RFC 2617 section 3.5.
@Suite struct DigestVectorTests {
    let responses = DigestResponse()

    private func respond(
        _ algorithm: DigestAlgorithm, user: String, realm: String, password: String, nonce: String, cnonce: String,
        uri: String
    ) -> String {
        let parts = DigestResponse.Parts(
            nonce: bytes(nonce), count: bytes("00000001"), cnonce: bytes(cnonce), qop: bytes("auth"),
            method: bytes("GET"), uri: bytes(uri))
        let secret = Array("\(user):\(realm):\(password)".utf8)
        let hash = responses.hash
        let result = responses.response(algorithm, parts) { hash.appendHex(algorithm, of: secret, to: &$0) }
        return String(decoding: result ?? [], as: UTF8.self)
    }

    @Test(arguments: [
        (DigestAlgorithm.md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (.sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ])
    func mufasa(_ algorithm: DigestAlgorithm, _ expected: String) {
        let response = respond(
            algorithm, user: "Mufasa", realm: "http-auth@example.org", password: "Circle of Life",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", uri: "/dir/index.html")
        #expect(response == expected)
    }

    /// RFC 7616 section 3.9.2 printed values of a truncated SHA-512; erratum 4897 has those of SHA-512/256.
    @Test func jason() {
        let response = respond(
            .sha512_256, user: "J\u{e4}s\u{f8}n Doe", realm: "api@example.org", password: "Secret, or not?",
            nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
            cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", uri: "/doe.json")
        #expect(response == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5")
    }

    @Test func rfc2617() {
        let response = respond(
            .md5, user: "Mufasa", realm: "testrealm@host.com", password: "Circle Of Life",
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", cnonce: "0a4f113b", uri: "/dir/index.html")
        #expect(response == "6629fae49393a05397450978507c4ef1")
    }

    /// FIPS 180-4 and RFC 1321 examples: the libcrypto names mean the algorithms they should.
    @Test(arguments: [
        (DigestAlgorithm.md5, "900150983cd24fb0d6963f7d28e17f72"),
        (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (.sha512_256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
    ])
    func abc(_ algorithm: DigestAlgorithm, _ expected: String) {
        #expect(DigestHash().hex(algorithm, of: bytes("abc")) == expected)
    }

    private func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }
}
