public import PresenceDocuments

/// Why a PUBLISH is not taken. Nothing has changed then.
public enum PublicationRefusal: Error, Hashable, Sendable {
    /// Neither body nor SIP-If-Match (RFC 3903 section 6 step 5).
    case nothingPublished
    /// SIP-If-Match names no publication of this presentity (step 3).
    case conditionFailed
    /// Shorter than the compositor bears (step 4).
    case intervalTooBrief(minimum: UInt32)
    /// The body is neither PIDF nor partial PIDF (step 5).
    case unsupportedMediaType
    /// The body is larger than ``PresenceSettings/publicationBytes``.
    case tooLarge
    /// The body is no XML that we take.
    case unreadable(DocumentError)
    /// The body is XML but no presence document.
    case invalidDocument(DocumentFault)
    /// A first publication has to be a full one (RFC 5264 section 4.3.2).
    case partialWithoutBase
    /// A patch operation does not apply (RFC 5264 section 4.3.2).
    case patchFailed(PatchError)
    /// The presentity has as many publications as it may; in so many seconds one of them ends.
    case tooManyPublications(retryAfter: UInt32)
    /// An earlier PUBLISH for the same publication has not been committed yet.
    case inProgress

    /// The status code of the answer.
    public var statusCode: UInt16 {
        switch self {
        case .nothingPublished, .unreadable, .invalidDocument, .partialWithoutBase, .patchFailed: 400
        case .conditionFailed: 412
        case .tooLarge: 413
        case .unsupportedMediaType: 415
        case .intervalTooBrief: 423
        case .inProgress: 500
        case .tooManyPublications: 503
        }
    }

    /// The reason phrase of the answer, which says what is wrong where the code alone does not.
    public var reasonPhrase: String {
        switch self {
        case .nothingPublished: "No Body and No SIP-If-Match"
        case .conditionFailed: "Conditional Request Failed"
        case .intervalTooBrief: "Interval Too Brief"
        case .unsupportedMediaType: "Unsupported Media Type"
        case .tooLarge: "Request Entity Too Large"
        case .unreadable(let error): "Bad Document: \(error)"
        case .invalidDocument(let fault): "Bad Presence Document: \(fault)"
        case .partialWithoutBase: "Invalid Partial Publication"
        case .patchFailed(let error): "Patch Not Applicable: \(error)"
        case .tooManyPublications: "Too Many Publications"
        case .inProgress: "Publication in Progress"
        }
    }

    /// Diagnostics for the body of the answer, of the type `PatchError.contentType` (RFC 5264 section 4.3.2); nil for other refusals.
    public var errorDocument: [UInt8]? {
        if case .patchFailed(let error) = self { DocumentWriter().write(error.document) } else { nil }
    }

    /// For Min-Expires, in seconds.
    public var minExpires: UInt32? {
        if case .intervalTooBrief(let minimum) = self { minimum } else { nil }
    }

    /// For Retry-After, in seconds.
    public var retryAfter: UInt32? {
        switch self {
        case .tooManyPublications(let seconds): seconds
        case .inProgress: 1
        default: nil
        }
    }
}

/// What makes well-formed XML no presence document.
public enum DocumentFault: Hashable, Sendable, CustomStringConvertible {
    /// The root element is not `presence`, `pidf-full` or `pidf-diff`, whichever the type calls for.
    case wrongRoot
    /// A tuple, person or device without an id, or two with the same.
    case badIdentifier
    /// A tuple without `status`, or with a `status` that says nothing (RFC 3863 section 4.1.3).
    case missingStatus
    /// A `basic` that is neither open nor closed (RFC 3863 section 4.1.4).
    case badBasicStatus
    /// A device without `deviceID` (RFC 4479 section 6.1).
    case missingDeviceIdentifier
    /// More than ``PresenceSettings/componentsPerPublication``.
    case tooManyComponents

    public var description: String {
        switch self {
        case .wrongRoot: "wrong root element"
        case .badIdentifier: "id missing or not unique"
        case .missingStatus: "tuple without status"
        case .badBasicStatus: "basic is neither open nor closed"
        case .missingDeviceIdentifier: "device without deviceID"
        case .tooManyComponents: "too many tuples, persons and devices"
        }
    }
}
