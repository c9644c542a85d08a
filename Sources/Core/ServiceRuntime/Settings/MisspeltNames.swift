/// Names of variables that look like ours and are none: a misspelt setting would silently have its default.
package enum MisspeltNames {
    /// Every variable that one of the services or the simulator reads; they share one `.env`.
    package static let known: Set<String> = [
        "ACCESS_TOKEN_TTL", "ADMIN_DATABASE_URL", "ADMIN_SERVICE_URL", "BLACKLIST_CLEANUP_INTERVAL",
        "CACHE_DASHBOARD_TTL", "CACHE_USERS_TTL", "DATABASE_POOL_SIZE", "DATABASE_URL", "DEFAULT_REGION", "ENVIRONMENT",
        "HOST", "JWT_ALGORITHM", "JWT_PREVIOUS_PRIVATE_KEY", "JWT_PREVIOUS_SECRET_KEY", "JWT_PRIVATE_KEY",
        "JWT_SECRET_KEY", "LOG_FORMAT", "LOG_LEVEL", "MSG91_AUTH_IN", "MSG91_AUTH_KEY", "MSG91_BASE_URL",
        "MSG91_TEMPLATE_ID", "MSG91_WEBHOOK_SECRET", "OTP_ALLOWED_COUNTRIES", "OTP_DATABASE_URL", "OTP_FRAUD_GUARD",
        "OTP_LENGTH", "OTP_MAX_ATTEMPTS", "OTP_PREVIOUS_SECRET_KEY", "OTP_REQUESTS_PER_NETWORK",
        "OTP_RESEND_COOLDOWNS", "OTP_RETENTION_DAYS", "OTP_SECRET_KEY", "OTP_SENDS_PER_NETWORK", "OTP_SENDS_PER_PHONE",
        "OTP_SENDS_PER_PREFIX", "OTP_SERVICE_URL", "OTP_TEST_NUMBERS", "OTP_TTL", "PHONE_RECYCLE_DAYS", "PORT",
        "REFRESH_TOKEN_TTL", "SIMULATOR_FAULT_NUMBERS", "SIMULATOR_TEMPLATE", "SIMULATOR_WEBHOOK_URL",
        "SMS_DAILY_BUDGET", "TRUSTED_PROXIES", "USER_DATABASE_URL", "USER_SERVICE_URL",
    ]

    /// What nobody else's variables begin with.
    private static let families = ["OTP_", "MSG91_", "JWT_", "SMS_", "ACCESS_TOKEN_", "REFRESH_TOKEN_"]

    /// One sentence for each name that begins as ours do or differs from one of ours in two letters at most; never a value.
    package static func warnings(_ names: some Sequence<String>) -> [String] {
        Set(names).subtracting(known).sorted().compactMap { name in
            guard (6...64).contains(name.utf8.count), name.utf8.allSatisfy(isLetter) else { return nil }
            let nearest = known.map { (distance: distance(name, $0), name: $0) }.min { $0 < $1 }
            let isNear = (nearest?.distance ?? .max) <= 2
            guard isNear || families.contains(where: name.hasPrefix) else { return nil }
            let meant = nearest.map { ": is \($0.name) meant?" } ?? "."
            return "\(name) is no setting, and does nothing\(meant)"
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
    }

    /// How many letters have to be added, dropped or changed (Levenshtein).
    private static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (line, letter) in left.utf8.enumerated() {
            var diagonal = line
            row[0] = line + 1
            for column in right.indices {
                let changed = diagonal + (right[column] == letter ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(changed, diagonal + 1, row[column] + 1)
            }
        }
        return row.last ?? 0
    }
}
