package import HTTPServer
package import Identity
package import Logging
package import Postgres
package import Tokens

/// The settings that every service with a database has.
package struct CommonSettings: Sendable {
    package enum Environment: String, Sendable, CaseIterable { case development, production }

    /// `HOST`: the address to listen on.
    package let host: String
    /// `PORT`: the port to listen on; 0 takes a free one.
    package let port: Int
    /// The service's own URL variable, or `DATABASE_URL`; with `DATABASE_POOL_SIZE`.
    package let database: PostgresConfiguration?
    /// `JWT_SECRET_KEY` and `JWT_PREVIOUS_SECRET_KEY`.
    package let keys: TokenKeys
    /// `JWT_ALGORITHM`: of users' access tokens.
    package let algorithm: TokenAlgorithm
    /// `LOG_LEVEL`.
    package let logLevel: Logger.Level
    /// `LOG_FORMAT`.
    package let logFormat: LogFormat
    /// `TRUSTED_PROXIES`: the proxies whose `X-Forwarded-For` is believed.
    package let trustedProxies: [AddressRange]
    /// `ENVIRONMENT`: production permits nothing that is only for laptops.
    package let environment: Environment

    package var isProduction: Bool { environment == .production }

    /// Reads the settings; what is wrong is noted in the reader.
    package init(
        _ reader: SettingsReader, name: ServiceName, defaultPort: Int, databaseVariable: String
    ) {
        environment = reader.choice("ENVIRONMENT", default: .development)
        host = reader.parsed("HOST", default: "127.0.0.1", "an address or the name of a host") {
            $0.utf8.allSatisfy(Self.isOfHost) ? $0 : nil
        }
        port = reader.integer("PORT", default: defaultPort, in: 0...65_535)
        logLevel = reader.parsed("LOG_LEVEL", default: .info, "one of \(Self.levels)") {
            Logger.Level(rawValue: $0.lowercased())
        }
        logFormat = reader.choice("LOG_FORMAT", default: environment == .production ? .json : .console)
        database = Self.database(reader, name: name, variable: databaseVariable)
        keys = TokenKeys(
            current: reader.secret("JWT_SECRET_KEY"), previous: reader.optionalSecret("JWT_PREVIOUS_SECRET_KEY"))
        algorithm = reader.parsed("JWT_ALGORITHM", default: .hs256, "HS256 or EdDSA", TokenAlgorithm.init(rawValue:))
        let proxies = AddressRange.list(reader.string("TRUSTED_PROXIES", default: ""))
        if !proxies.invalid.isEmpty {
            reader.problem("TRUSTED_PROXIES", "must be a list of address ranges like 10.0.0.0/8,::1/128")
        }
        trustedProxies = proxies.ranges
    }

    /// Whether a byte may stand in an IPv4 or IPv6 address, with its zone, or in a name.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "-"),
            UInt8(ascii: "_"), UInt8(ascii: "%"):
            true
        default: false
        }
    }

    private static let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")

    private static func database(
        _ reader: SettingsReader, name: ServiceName, variable: String
    ) -> PostgresConfiguration? {
        let size = reader.integer("DATABASE_POOL_SIZE", default: 16, in: 4...200)
        guard let url = reader.optional(variable) ?? reader.optional("DATABASE_URL") else {
            reader.problem(variable, "is required, or DATABASE_URL: postgresql://user:password@host:port/database")
            return nil
        }
        let source = reader.optional(variable) == nil ? "DATABASE_URL" : variable
        guard let database = try? PostgresConfiguration(url: url, applicationName: name.rawValue, poolSize: size) else {
            reader.problem(source, "must be like postgresql://user:password@host:port/database")
            return nil
        }
        return database
    }
}
