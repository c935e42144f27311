import PresenceDocuments
import SIPCore

/// One version of what a view's watchers see, and its renderings, each made when first asked for.
struct ViewState {
    /// Names the version within its view; 0 names none.
    let number: UInt32
    /// What the watchers may see, before their filter; triggers compare it.
    let permitted: XMLElement
    /// What the filter leaves of it; nil when that is nothing.
    let document: XMLElement?
    /// Watchers that have it, or are being sent it, and need it again to be told differences.
    var references = 0
    private var plain: Rendering?
    private var partialFull: Rendering?
    private var plainTag: EntityTag?
    private var partialTag: EntityTag?

    init(number: UInt32, permitted: XMLElement, document: XMLElement?) {
        self.number = number
        self.permitted = permitted
        self.document = document
    }

    /// The whole state as PIDF.
    mutating func pidf() -> Rendering {
        if let plain { return plain }
        let made = document.map { PresenceRendering.pidf($0) } ?? .nothing
        plain = made
        return made
    }

    /// The whole state as `pidf-full`.
    mutating func pidfFull() -> Rendering {
        if let partialFull { return partialFull }
        let made = document.map { PresenceRendering.pidfFull($0) } ?? .nothing
        partialFull = made
        return made
    }

    /// Depends on nothing but the document and its format, so that it is the same again after a restart.
    mutating func entityTag(partial: Bool) -> EntityTag {
        if let known = partial ? partialTag : plainTag { return known }
        let rendering = partial ? pidfFull() : pidf()
        let made = EntityTag(KeyedHash.hash(rendering.bytes, key: (0, 0)))
        if partial { partialTag = made } else { plainTag = made }
        return made
    }
}
