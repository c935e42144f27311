// swift-tools-version: 6.2
import PackageDescription

let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: house)
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let collections: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")

let package = Package(
    name: "godwit",
    products: [
        .executable(name: "godwit", targets: ["godwit"]),
        .library(name: "SIPCore", targets: ["SIPCore"]),
        .library(name: "Engine", targets: ["Engine"]),
        .library(name: "SigComp", targets: ["SigComp"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CCAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),

        room("LinkProfiles", [yams]),
        room("SIPCore"),
        room("PresenceDocuments", ["CLibXML2"]),
        room("Presence", ["PresenceDocuments", "LinkProfiles", "SIPCore", heap]),
        room("SigComp", ["COpenSSL", "CZlib"]),
        room("SIPTransaction", ["SIPCore", "LinkProfiles"]),
        room("SIPDialog", ["SIPCore", "LinkProfiles"]),
        room("MessageStore", ["LinkProfiles"]),
        room("Policy", ["SIPCore", "LinkProfiles", "MessageStore", "COpenSSL"]),
        room(
            "Engine",
            [
                "SIPCore", "SIPTransaction", "SIPDialog", "Presence", "PresenceDocuments", "LinkProfiles",
                "MessageStore", "Policy",
                collections, heap,
            ]),
        room("MessageStoreSQLite", ["MessageStore", "LinkProfiles", grdb, grdbSQLite]),
        room(
            "Simulation",
            [
                "Engine", "SIPCore", "SIPTransaction", "PresenceDocuments", "SigComp", "LinkProfiles", "MessageStore",
                "Policy",
            ]),
        room("Transport", ["SIPCore", "LinkProfiles", "SigComp", "CCAres", nioSSL, nioTLS, log] + nio),
        room(
            "GodwitServer",
            [
                "Engine", "Transport", "MessageStore", "MessageStoreSQLite", "LinkProfiles", "SIPCore", "SigComp",
                "Policy", "Presence", "SIPDialog", yams, log, metrics, nioSSL,
            ] + nio),
        .executableTarget(
            name: "godwit",
            dependencies: [
                "GodwitServer", "Engine", "Simulation", "Transport", "SIPCore", "Policy", "MessageStore",
                "MessageStoreSQLite", "LinkProfiles", "SigComp", log, nioSSL,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + nio,
            swiftSettings: house),

        .executableTarget(
            name: "crash-child", dependencies: ["MessageStore", "MessageStoreSQLite", "LinkProfiles"],
            path: "Tests/CrashChild", swiftSettings: house),

        tests("LinkProfilesTests", ["LinkProfiles"]),
        tests("SIPCoreTests", ["SIPCore"]),
        tests("SigCompTests", ["SigComp"]),
        tests("PresenceDocumentsTests", ["PresenceDocuments", "CLibXML2"]),
        tests("PresenceTests", ["Presence", "PresenceDocuments", "LinkProfiles", "SIPCore"]),
        tests("SIPTransactionTests", ["SIPTransaction", "SIPCore", "LinkProfiles"]),
        tests("SIPDialogTests", ["SIPDialog", "SIPCore", "LinkProfiles"]),
        tests("MessageStoreTests", ["MessageStore", "MessageStoreSQLite", "Simulation", "LinkProfiles", grdb]),
        tests("PolicyTests", ["Policy", "SIPCore", "LinkProfiles", "MessageStore"]),
        tests(
            "EngineTests",
            ["Engine", "SIPCore", "SIPTransaction", "LinkProfiles", "MessageStore", "Policy", "Simulation"]),
        tests("SimulationTests", ["Simulation", "Engine", "SIPCore", "LinkProfiles", "MessageStore"]),
        tests("TransportTests", ["Transport", "SIPCore", "SigComp", "LinkProfiles", nioSSL, log] + nio),
        tests(
            "GodwitServerTests",
            [
                "GodwitServer", "Engine", "SIPCore", "SIPDialog", "Presence", "SigComp", "LinkProfiles", "MessageStore",
                "MessageStoreSQLite", "Policy", "Transport", log,
            ] + nio),
        tests("CrashTests", ["MessageStore", "MessageStoreSQLite", "LinkProfiles", "SIPCore", "crash-child"]),
    ]
)
