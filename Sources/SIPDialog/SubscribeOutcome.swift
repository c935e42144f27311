/// How a SUBSCRIBE transaction ended.
public enum SubscribeOutcome: Hashable, Sendable {
    /// 2xx. `expires` in seconds, nil where the response does not say.
    case accepted(status: UInt16, expires: UInt32?)
    /// Another final response, with its Retry-After and Min-Expires in seconds. A challenge that the subscriber can answer is
    /// not one of these.
    case refused(status: UInt16, retryAfter: UInt32?, minExpires: UInt32?)
    /// No final response within timer F, or it could not be sent.
    case unanswered

    /// Whether a refresh that ends so ends the subscription (RFC 6665 section 4.1.2.2).
    var endsSubscription: Bool {
        guard case .refused(let status, _, _) = self else { return false }
        switch status {
        case 404, 405, 410, 416, 480...485, 489, 501, 604: return true
        default: return false
        }
    }

    /// Whether the other side will say the same next time: an unknown event package, a resource that does not exist, a policy.
    var isLasting: Bool {
        guard case .refused(let status, _, _) = self else { return false }
        switch status {
        case 400, 403, 404, 405, 410, 414, 416, 420, 484, 485, 488, 489, 501, 505, 600..<700: return true
        default: return false
        }
    }
}
