import Caching
package import Identity
package import ServiceRuntime

/// The settings that only admin-service has.
package struct AdminSettings: Sendable {
    /// Where user-service's internal endpoints are, without a slash at its end.
    package var userServiceURL: String
    /// Where otp-service's internal endpoints are, without a slash at its end.
    package var otpServiceURL: String
    /// `DEFAULT_REGION`: how phone numbers without a plus sign are read; nil demands the plus sign.
    package var defaultRegion: String?
    /// How long dashboard figures are shown without asking again.
    package var dashboardTTL: Duration
    /// How long user pages are shown without asking again.
    package var usersTTL: Duration
    /// How long the states of destinations and of sending are shown without asking again: otp-service has no feed that tells of
    /// what its breakers and commands change, and all instances are to agree within a second.
    var statesTTL = Duration.seconds(1)
    /// The secrets that also sign tokens; TOTP secrets are sealed under keys derived from them.
    package var secret: Secret
    package var previousSecret: Secret?

    /// Takes settings as they are.
    init(
        userServiceURL: String, otpServiceURL: String, dashboardTTL: Duration, usersTTL: Duration, secret: Secret,
        previousSecret: Secret? = nil, defaultRegion: String? = nil
    ) {
        self.userServiceURL = userServiceURL
        self.otpServiceURL = otpServiceURL
        self.dashboardTTL = dashboardTTL
        self.usersTTL = usersTTL
        self.secret = secret
        self.previousSecret = previousSecret
        self.defaultRegion = defaultRegion
    }

    /// Reads the settings; what is wrong with them is collected by the reader.
    package init(_ reader: SettingsReader) {
        userServiceURL = Self.url(reader, "USER_SERVICE_URL", default: "http://127.0.0.1:8082")
        otpServiceURL = Self.url(reader, "OTP_SERVICE_URL", default: "http://127.0.0.1:8081")
        defaultRegion = reader.region("DEFAULT_REGION")
        dashboardTTL = reader.seconds("CACHE_DASHBOARD_TTL", default: 30, in: 0...86_400)
        usersTTL = reader.seconds("CACHE_USERS_TTL", default: 10, in: 0...86_400)
        // CommonSettings has judged them and noted what is wrong.
        secret = Self.secret(reader, "JWT_SECRET_KEY") ?? Secret(bytes: [])
        previousSecret = Self.secret(reader, "JWT_PREVIOUS_SECRET_KEY")
    }

    private static func secret(_ reader: SettingsReader, _ name: String) -> Secret? {
        reader.optional(name).flatMap { try? Secret(validating: $0) }
    }

    private static func url(_ reader: SettingsReader, _ name: String, default url: String) -> String {
        reader.parsed(name, default: url, "an http or https URL without path, query and user info") { text in
            let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
            guard host(of: trimmed) != nil else { return nil }
            return trimmed
        }
    }

    /// The host of `scheme://host[:port]`; nil if the URL has another form.
    static func host(of url: String) -> String? {
        for scheme in ["http://", "https://"] where url.hasPrefix(scheme) {
            let authority = url.dropFirst(scheme.count)
            guard !authority.isEmpty, !authority.contains(where: { "/?#@\\ ".contains($0) }) else { return nil }
            if authority.hasPrefix("[") {
                return authority.firstIndex(of: "]").map { String(authority[...$0]) }
            }
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard let host = parts.first, !host.isEmpty, parts.count <= 2 else { return nil }
            return parts.count == 1 || parts.last.flatMap { UInt16($0) } != nil ? String(host) : nil
        }
        return nil
    }

    /// Dashboard figures may be shown a while longer when they are asked for again behind the reader's back, and an
    /// hour when their service is away; the answer says so.
    var dashboardPolicy: CachePolicy {
        CachePolicy(
            capacity: 2 * 366, shards: 2, freshFor: dashboardTTL, staleWhileRevalidate: dashboardTTL,
            staleIfError: .seconds(3600))
    }

    /// The states of destinations, for an hour when otp-service is away.
    var statePolicy: CachePolicy {
        CachePolicy(capacity: 4, shards: 1, freshFor: min(usersTTL, statesTTL), staleIfError: .seconds(3600))
    }

    /// Budget and gateway; nothing of it when otp-service is away.
    /// The same of messages, in 4 MiB: the newest change with each delivery.
    var messagesPolicy: CachePolicy { CachePolicy(capacity: 4 << 20, shards: 4, freshFor: min(usersTTL, statesTTL)) }
    var sendingPolicy: CachePolicy { CachePolicy(capacity: 1, shards: 1, freshFor: min(dashboardTTL, statesTTL)) }

    /// Five seconds: a hundred dashboards ask each service once.
    var healthPolicy: CachePolicy { CachePolicy(capacity: 1, shards: 1, freshFor: min(dashboardTTL, .seconds(5))) }

    /// 16 MiB of pages.
    var usersPolicy: CachePolicy {
        CachePolicy(
            capacity: 16 << 20, freshFor: usersTTL, staleWhileRevalidate: usersTTL, staleIfError: .seconds(600))
    }
}
