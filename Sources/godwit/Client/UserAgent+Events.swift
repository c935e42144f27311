import SIPCore

/// Publishing and watching event state.
extension UserAgent {
    /// A subscription as its subscriber knows it (RFC 6665 section 4.1.2).
    struct Subscription: Sendable {
        let resource: String
        let event: String
        let callID = UserAgent.token() + "@godwit"
        /// The notifier's Contact, once it has answered.
        var target = ""
        var tag = ""
        var sequence: UInt32 = 0
    }

    /// One PUBLISH (RFC 3903 section 4).
    ///
    /// - Parameters:
    ///   - entityTag: of the publication that is refreshed, changed or removed; empty for a new one.
    ///   - expires: seconds; 0 removes.
    ///   - body: empty to refresh or remove.
    func publish(
        for presentity: String, event: String, entityTag: String, expires: Int64, contentType: String, body: [UInt8]
    ) async throws -> Answer {
        var sequence: UInt32 = 0
        var headers = "Event: \(event)\r\nExpires: \(expires)\r\n"
        if !entityTag.isEmpty { headers += "SIP-If-Match: \(entityTag)\r\n" }
        if !body.isEmpty { headers += "Content-Type: \(contentType)\r\n" }
        return try await request(
            .publish, uri: presentity, to: presentity, callID: Self.token() + "@godwit",
            sequence: {
                sequence += 1; return sequence
            }, headers: headers, body: body)
    }

    /// One SUBSCRIBE: the first of a subscription, a refresh, or with `expires` 0 its end or a single question.
    ///
    /// - Parameter headers: whole lines with their ends, such as Accept.
    func subscribe(_ subscription: inout Subscription, expires: Int64, headers: String) async throws -> Answer {
        subscriptionCallID = subscription.callID
        var sequence = subscription.sequence
        let answer = try await request(
            .subscribe, uri: subscription.target.isEmpty ? subscription.resource : subscription.target,
            to: subscription.resource, toTag: subscription.tag, callID: subscription.callID,
            sequence: {
                sequence += 1; return sequence
            },
            headers: "Event: \(subscription.event)\r\nExpires: \(expires)\r\nContact: \(contact)\r\n" + headers,
            body: [])
        subscription.sequence = sequence
        guard 200..<300 ~= answer.status else { return answer }
        subscription.tag = answer.message.text(answer.message.to.tag)
        if let contact = answer.message.addresses(.contact).first {
            subscription.target = answer.message.text(contact.uri)
        }
        return answer
    }
}
