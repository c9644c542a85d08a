// swift-tools-version: 6.2
import PackageDescription

// Postkey: phone sign-in on PostgreSQL alone. docs/architecture.md draws the modules and the direction of
// their dependencies. Direct dependencies are pinned; Package.resolved is not committed.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let jwtKit = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

extension Target {
    /// One module of the shared core library.
    static func core(_ name: String, _ dependencies: [Dependency], resources: [Resource]? = nil) -> Target {
        .target(
            name: name, dependencies: dependencies, path: "Sources/Core/\(name)", resources: resources,
            swiftSettings: strict)
    }

    /// The library of one service: everything but its `main`.
    static func service(_ name: String, _ dependencies: [Dependency], resources: [Resource]? = nil) -> Target {
        .target(
            name: name, dependencies: dependencies, path: "Sources/\(name)", resources: resources,
            swiftSettings: strict)
    }

    /// An executable of at most forty lines: parse, call, exit.
    static func command(_ name: String, _ dependencies: [Dependency], path: String? = nil) -> Target {
        .executableTarget(
            name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", swiftSettings: strict)
    }

    /// What several test targets share; in no product.
    static func kit(_ name: String, _ dependencies: [Dependency]) -> Target {
        .target(name: name, dependencies: dependencies, path: "Tests/Kits/\(name)", swiftSettings: strict)
    }

    /// The tests of one module.
    static func tests(_ name: String, _ dependencies: [Dependency], resources: [Resource]? = nil) -> Target {
        .testTarget(
            name: name, dependencies: dependencies, path: "Tests/\(name)", resources: resources,
            swiftSettings: strict)
    }
}

let package = Package(
    name: "postkey",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "otp-service", targets: ["otp-service"]),
        .executable(name: "user-service", targets: ["user-service"]),
        .executable(name: "admin-service", targets: ["admin-service"]),
        .executable(name: "msg91-simulator", targets: ["msg91-simulator"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
        // In the graph through Hummingbird; named because our own targets import them.
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    ],
    targets: [
        // The shared core library.
        .systemLibrary(
            name: "CLibPQ", path: "Sources/Core/CLibPQ", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .systemLibrary(
            name: "CLibCurl", path: "Sources/Core/CLibCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev", "libssl-dev"]), .brew(["curl", "openssl@3"])]),
        .systemLibrary(
            name: "CLibPhoneNumber", path: "Sources/Core/CLibPhoneNumber",
            providers: [.apt(["libphonenumber-dev"]), .brew(["libphonenumber"])]),
        .systemLibrary(
            name: "CLibQREncode", path: "Sources/Core/CLibQREncode", pkgConfig: "libqrencode",
            providers: [.apt(["libqrencode-dev"]), .brew(["qrencode"])]),
        .target(
            name: "CPhoneNumber", dependencies: ["CLibPhoneNumber"], path: "Sources/Core/CPhoneNumber",
            linkerSettings: [.linkedLibrary("phonenumber"), .linkedLibrary("protobuf")]),
        .core("Deadlines", []),
        .core("Postgres", ["CLibPQ", "Deadlines", deque, lifecycle, logging, metrics]),
        .core("Migrations", ["Postgres", logging, crypto]),
        .core("Identity", ["CPhoneNumber"]),
        .core("Tokens", ["Identity", jwtKit, crypto]),
        .core(
            "HTTPServer",
            [
                "Deadlines", "Identity", "Tokens", hummingbird, hummingbirdCore, httpTypes, nioCore, nioPosix, nioHTTP1,
                lifecycle, logging, metrics,
            ]),
        .core("HTTPClient", ["CLibCurl", "Deadlines", lifecycle, logging]),
        .core("Caching", ["Deadlines", coreMetrics]),
        .core(
            "ChangeFeed",
            [
                "Identity", "Tokens", "HTTPServer", "HTTPClient", "Deadlines", hummingbird, httpTypes, lifecycle,
                logging, metrics,
            ]),
        .core(
            "ServiceRuntime",
            [
                "Identity", "Tokens", "Postgres", "Migrations", "HTTPServer", configuration, systemPackage,
                lifecycle, unixSignals, logging, coreMetrics, arguments,
            ]),

        // The services. They never import each other.
        .service(
            "OTPService",
            [
                "Postgres", "Migrations", "Identity", "Tokens", "HTTPServer", "HTTPClient", "ChangeFeed",
                "ServiceRuntime", hummingbird, httpTypes, lifecycle, logging, metrics, crypto, configuration, arguments,
            ],
            resources: [.copy("Schema/Migrations"), .copy("OpenAPI")]),
        .service(
            "UserService",
            [
                "Postgres", "Migrations", "Identity", "Tokens", "HTTPServer", "ServiceRuntime",
                hummingbird, httpTypes, lifecycle, logging, metrics, crypto, configuration, arguments,
            ],
            resources: [.copy("Schema/Migrations"), .copy("OpenAPI")]),
        .service(
            "AdminService",
            [
                "Postgres", "Migrations", "Identity", "Tokens", "HTTPServer", "HTTPClient", "ChangeFeed",
                "Caching", "ServiceRuntime", "CLibQREncode", hummingbird, httpTypes, lifecycle, logging, metrics,
                crypto,
                configuration, arguments, mustache,
            ],
            resources: [.copy("Schema/Migrations"), .copy("OpenAPI"), .copy("Console/Pages"), .copy("Console/Assets")]),
        .service(
            "MSG91Simulator",
            ["HTTPClient", hummingbird, httpTypes, nioCore, lifecycle, logging],
            resources: [.copy("Pages")]),

        .command("otp-service", ["OTPService", "ServiceRuntime", arguments]),
        .command("user-service", ["UserService", "ServiceRuntime", arguments]),
        .command("admin-service", ["AdminService", "ServiceRuntime", arguments]),
        .command("msg91-simulator", ["MSG91Simulator", lifecycle, unixSignals, logging, arguments]),
        .command(
            "postkey-benchmark", ["Postgres", crypto, logging, arguments],
            path: "Benchmarks/postkey-benchmark"),
        .command("postkey-seed", ["Postgres", "ServiceRuntime", arguments], path: "Benchmarks/postkey-seed"),

        // Tests.
        .kit("PostgresTestKit", ["Postgres", "Migrations", logging, lifecycle]),
        .kit("ServiceTestKit", ["PostgresTestKit", "HTTPClient", logging]),
        .tests("PostgresTests", ["Postgres", "Deadlines", "PostgresTestKit", logging, lifecycle]),
        .tests(
            "MigrationsTests", ["Migrations", "Postgres", "PostgresTestKit", logging], resources: [.copy("Fixtures")]),
        .tests("IdentityTests", ["Identity"]),
        .tests("TokensTests", ["Tokens", "Identity", jwtKit, crypto]),
        .tests(
            "HTTPServerTests",
            ["HTTPServer", "Deadlines", "Tokens", "Identity", hummingbird, httpTypes, nioCore, lifecycle, logging]),
        .tests("HTTPClientTests", ["HTTPClient", "Deadlines", lifecycle, logging]),
        .tests("CachingTests", ["Caching", "Deadlines", coreMetrics]),
        .tests(
            "ChangeFeedTests",
            [
                "ChangeFeed", "Tokens", "Identity", "HTTPServer", "HTTPClient", "Deadlines", hummingbird, httpTypes,
                lifecycle,
                logging,
            ]),
        .tests(
            "ServiceRuntimeTests",
            [
                "ServiceRuntime", "HTTPServer", "Postgres", "Migrations", "PostgresTestKit", "Identity", lifecycle,
                logging,
                coreMetrics,
            ]),
        .tests(
            "OTPServiceTests",
            [
                "OTPService", "MSG91Simulator", "ServiceTestKit", "PostgresTestKit", "Postgres", "Migrations",
                "Identity", "Tokens", "HTTPServer", "HTTPClient", "ServiceRuntime", hummingbird, lifecycle, logging,
                crypto,
            ]),
        .tests(
            "UserServiceTests",
            [
                "UserService", "ServiceTestKit", "PostgresTestKit", "Postgres", "Migrations", "Identity", "Tokens",
                "HTTPServer", "HTTPClient", "ServiceRuntime", lifecycle, logging, crypto,
            ]),
        .tests(
            "AdminServiceTests",
            [
                "AdminService", "ServiceTestKit", "PostgresTestKit", "Postgres", "Migrations", "Identity", "Tokens",
                "HTTPServer", "HTTPClient", "Caching", "ServiceRuntime", hummingbird, lifecycle, logging, crypto,
            ]),
        .tests("MSG91SimulatorTests", ["MSG91Simulator", "HTTPClient", hummingbird, nioCore, lifecycle, logging]),
        .tests(
            "EndToEndTests",
            ["ServiceTestKit", "PostgresTestKit", "Identity", "Tokens", crypto]),
    ]
)
