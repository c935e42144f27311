/// Storage for values that come and go in millions: numbered slots in pages of equal size.
///
/// Nothing is ever moved, so growing costs one page and no copy. Free slots are reused page by page, lowest page first,
/// so that after a burst the upper pages drain and are given back; at most one empty page is kept.
final class SlotPages<Element> {
    /// No slot.
    static var none: UInt32 { .max }

    private struct Page {
        /// Nil while the page is given back.
        var base: UnsafeMutablePointer<Element>?
        /// First slot of the list of slots freed; the list runs through the slots themselves.
        var freed: UInt32
        /// Slots from here on have never been used.
        var fresh: UInt32
        var used: UInt32
    }

    private let shift: UInt32
    private let pageSize: UInt32
    private var pages: UnsafeMutablePointer<Page>
    private var pageCount = 0
    private var pageCapacity = 8
    /// The page new values go to.
    private var current = 0
    private var emptyPages = 0
    /// One bit a page: it exists and has a free slot. The current page's bit may be set although it is full.
    private var roomy: [UInt64] = []

    /// Slots in use.
    private(set) var count = 0
    /// Pages that exist.
    private(set) var livePages = 0

    /// - Parameter slotsPerPage: rounded up to a power of two; at least 64.
    init(slotsPerPage: Int) {
        let size = max(64, slotsPerPage)
        shift = UInt32(Int.bitWidth - (size - 1).leadingZeroBitCount)
        pageSize = 1 << shift
        pages = .allocate(capacity: pageCapacity)
    }

    deinit {
        // Values still in use belong to the owner, who has removed those that need it.
        for number in 0..<pageCount { pages[number].base?.deallocate() }
        pages.deallocate()
    }

    /// Bytes reserved.
    var reservedBytes: Int {
        livePages * Int(pageSize) * MemoryLayout<Element>.stride + pageCapacity * MemoryLayout<Page>.stride
            + roomy.count * 8
    }

    /// Where a slot in use lives.
    @inline(__always)
    func pointer(_ slot: UInt32) -> UnsafeMutablePointer<Element> {
        pages[Int(slot >> shift)].base.unsafelyUnwrapped + Int(slot & (pageSize - 1))
    }

    func insert(_ value: consuming Element) -> UInt32 {
        if pageCount == 0 || pages[current].used == pageSize { current = nextPage() }
        let page = pages + current
        let base = page.pointee.base.unsafelyUnwrapped
        let offset: UInt32
        if page.pointee.freed != Self.none {
            offset = page.pointee.freed
            page.pointee.freed = UnsafeRawPointer(base + Int(offset)).load(as: UInt32.self)
        } else {
            offset = page.pointee.fresh
            page.pointee.fresh += 1
        }
        if page.pointee.used == 0 { emptyPages -= 1 }
        page.pointee.used += 1
        count += 1
        (base + Int(offset)).initialize(to: value)
        return UInt32(current) << shift | offset
    }

    func remove(_ slot: UInt32) {
        let number = Int(slot >> shift)
        let offset = slot & (pageSize - 1)
        let page = pages + number
        let element = page.pointee.base.unsafelyUnwrapped + Int(offset)
        element.deinitialize(count: 1)
        UnsafeMutableRawPointer(element).storeBytes(of: page.pointee.freed, as: UInt32.self)
        page.pointee.freed = offset
        if page.pointee.used == pageSize { roomy[number >> 6] |= 1 << UInt64(number & 63) }
        page.pointee.used -= 1
        count -= 1
        if page.pointee.used == 0 { emptied(number) }
    }

    /// The lowest page with a free slot, made if there is none.
    private func nextPage() -> Int {
        if pageCount > 0 { roomy[current >> 6] &= ~(1 << UInt64(current & 63)) }
        for word in roomy.indices where roomy[word] != 0 { return word << 6 + roomy[word].trailingZeroBitCount }
        return makePage()
    }

    private func makePage() -> Int {
        var number = 0
        while number < pageCount && pages[number].base != nil { number += 1 }
        if number == pageCapacity { growDirectory() }
        let base = UnsafeMutablePointer<Element>.allocate(capacity: Int(pageSize))
        let page = Page(base: base, freed: Self.none, fresh: 0, used: 0)
        if number == pageCount {
            (pages + number).initialize(to: page)
            pageCount += 1
            if number >> 6 == roomy.count { roomy.append(0) }
        } else {
            pages[number] = page
        }
        roomy[number >> 6] |= 1 << UInt64(number & 63)
        livePages += 1
        emptyPages += 1
        return number
    }

    private func growDirectory() {
        let grown = UnsafeMutablePointer<Page>.allocate(capacity: pageCapacity * 2)
        grown.moveInitialize(from: pages, count: pageCount)
        pages.deallocate()
        pages = grown
        pageCapacity *= 2
    }

    /// Gives back a page that became empty, unless it is in use for new values or the only empty one.
    private func emptied(_ number: Int) {
        emptyPages += 1
        guard emptyPages > 1, number != current else {
            // Start over in order: what comes next to each other lies next to each other.
            pages[number].freed = Self.none
            pages[number].fresh = 0
            return
        }
        pages[number].base?.deallocate()
        pages[number].base = nil
        roomy[number >> 6] &= ~(1 << UInt64(number & 63))
        emptyPages -= 1
        livePages -= 1
    }
}
