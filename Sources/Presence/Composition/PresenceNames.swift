import PresenceDocuments

/// The names of presence documents that composition, authorization and reception look for.
extension ExpandedName {
    static let presence = ExpandedName(.pidf, "presence")
    static let tuple = ExpandedName(.pidf, "tuple")
    static let status = ExpandedName(.pidf, "status")
    static let basic = ExpandedName(.pidf, "basic")
    static let contact = ExpandedName(.pidf, "contact")
    static let note = ExpandedName(.pidf, "note")
    static let timestamp = ExpandedName(.pidf, "timestamp")

    static let person = ExpandedName(.dataModel, "person")
    static let device = ExpandedName(.dataModel, "device")
    static let deviceID = ExpandedName(.dataModel, "deviceID")
    static let dataNote = ExpandedName(.dataModel, "note")
    static let dataTimestamp = ExpandedName(.dataModel, "timestamp")

    static let activities = ExpandedName(.rpid, "activities")
    static let classLabel = ExpandedName(.rpid, "class")
    static let sphere = ExpandedName(.rpid, "sphere")
    static let userInput = ExpandedName(.rpid, "user-input")

    static let pidfFull = ExpandedName(.pidfDiff, "pidf-full")
    static let pidfDiff = ExpandedName(.pidfDiff, "pidf-diff")
}

extension XMLElement {
    /// Whether this is a tuple, person or device (RFC 4479 section 3).
    var isDataComponent: Bool { name == .tuple || name == .person || name == .device }

    /// The text of a child element without white space at its ends; empty when there is no such child.
    func text(of name: ExpandedName) -> String { firstElement(named: name)?.trimmedText ?? "" }
}

/// Whether a service can be reached (RFC 3863 section 4.1.4).
enum BasicStatus {
    case open
    case closed

    init?(_ basic: XMLElement) {
        switch basic.trimmedText {
        case "open": self = .open
        case "closed": self = .closed
        default: return nil
        }
    }
}
