// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "bench",
    targets: [
        .executableTarget(
            name: "sipbench",
            swiftSettings: [
                .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"), .treatAllWarnings(as: .error),
            ])
    ]
)
