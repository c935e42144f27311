/// What an operator decides about registrations.
struct RegistrarConfiguration {
    /// Bindings one address-of-record may have (RFC 3261 section 10.3).
    var maximumBindings = 16
    /// Value of the Service-Route header in answers, with its angle brackets (RFC 3608); empty for none.
    var serviceRoute = ""
    /// Whether a Path header is accepted although the user agent does not name `path` in Supported. RFC 3327 section 5.3
    /// recommends to refuse it with 420.
    var acceptsUnsupportedPath = false
}
