package import Foundation
package import Identity
package import Postgres

/// A message as operators see it: what was sent to whom, and what came of it. Never a code; the phone masked unless it was asked for.
package struct LoggedMessage: Sendable {
    /// The challenge and the number of its message.
    package let name: MessageName
    /// Where it went.
    package let phone: PhoneNumber
    /// Two letters; nil where the number belongs to no country.
    package let country: String?
    /// What the code was for.
    package let purpose: Purpose
    /// How it went out.
    package let channel: Channel
    /// What became of it.
    package let state: MessageState
    /// Why it failed or was dropped.
    package let reason: String?
    /// What became of its challenge.
    package let status: ChallengeStatus
    /// How often it was handed to the gateway.
    package let tries: Int
    /// Answers to its challenge.
    package let attempts: Int
    /// Messages of its challenge after the first.
    package let resends: Int
    package let createdAt: Date
    package let submittedAt: Date?
    package let deliveredAt: Date?
    package let verifiedAt: Date?
    package let updatedAt: Date
}

/// A page of messages, the newest challenges first.
package struct MessageLogPage: Sendable {
    package let messages: [LoggedMessage]
    /// Where the next page begins; nil if there is none.
    package let next: MessageName?
    /// When the database read this.
    package let asOf: Date
}

/// The messages of all days that are kept, in the order of their challenges' ids. Everything throws `PostgresError`.
package struct MessageLog: Sendable {
    let postgres: PostgresClient

    /// Reads from this database.
    package init(postgres: PostgresClient) {
        self.postgres = postgres
    }

    /// Messages before `cursor`, of one phone or of all.
    ///
    /// The newest of all, which is what operators look at, are one statement over the days that can still change: few tables, each
    /// entered by its key. What is older, or of one phone: first which challenges, then their messages by id, so that each statement is
    /// planned for the days that it needs, and none walks over the messages of others.
    package func page(
        of phone: PhoneNumber?, before cursor: MessageName?, limit: Int
    ) async throws(PostgresError) -> MessageLogPage {
        let place = (id: cursor?.challengeID.uuid ?? Self.last, number: cursor?.number ?? 0)
        var rows: [PostgresRow] = []
        if let phone {
            rows = try await messages(of: try await challenges(of: phone, place.id, limit), place, limit + 1)
        } else {
            rows = Array(try await newest(place, limit + 1))
            let missing = limit + 1 - rows.count
            if missing > 0 { rows += try await messages(of: try await past(place, missing), place, missing) }
        }
        var asOf = Date()
        var messages: [LoggedMessage] = []
        for row in rows { if let message = try Self.message(row, &asOf) { messages.append(message) } }
        let page = Array(messages.prefix(limit))
        return MessageLogPage(messages: page, next: rows.count > limit ? page.last?.name : nil, asOf: asOf)
    }

    private typealias Place = (id: UUID, number: Int)

    /// The newest messages of the days that can still change. Their challenges are among those of the same days: a day's messages leave
    /// them first. Each is looked up by its key, whatever the planner thinks of the number of rows. (Columns are qualified: a bare `id`
    /// in ORDER BY would be the text of the result, which has no index.)
    private func newest(_ place: Place, _ limit: Int) async throws(PostgresError) -> PostgresRows {
        try await postgres.read(
            """
            SELECT \(unescaped: Self.columns)
            FROM (SELECT * FROM messages m
                WHERE m.challenge_id <= \(place.id) AND (m.challenge_id, m.number) < (\(place.id), \(place.number))
                ORDER BY m.challenge_id DESC, m.number DESC LIMIT \(limit)) m
            CROSS JOIN LATERAL (SELECT * FROM challenges c WHERE c.id = m.challenge_id LIMIT 1) c
            LEFT JOIN LATERAL (SELECT * FROM phones p WHERE p.phone = c.phone LIMIT 1) p ON true
            ORDER BY m.challenge_id DESC, m.number DESC
            """)
    }

    /// The messages of these challenges. As texts: an array of them is constant when the statement is planned.
    private func messages(
        of challenges: [String], _ place: Place, _ limit: Int
    ) async throws(PostgresError) -> [PostgresRow] {
        guard !challenges.isEmpty else { return [] }
        let rows = try await postgres.read(
            """
            SELECT \(unescaped: Self.columns)
            FROM all_messages m JOIN all_challenges c ON c.id = m.challenge_id LEFT JOIN phones p ON p.phone = c.phone
            WHERE m.challenge_id = ANY(\(challenges)::uuid[]) AND c.id = ANY(\(challenges)::uuid[])
                AND (m.challenge_id, m.number) < (\(place.id), \(place.number))
            ORDER BY m.challenge_id DESC, m.number DESC LIMIT \(limit)
            """)
        return Array(rows)
    }

    /// The challenges of a phone that may be on the page, the newest first; each has a message.
    private func challenges(of phone: PhoneNumber, _ id: UUID, _ limit: Int) async throws(PostgresError) -> [String] {
        let rows = try await postgres.read(
            """
            SELECT c.id::text FROM all_challenges c
            WHERE c.phone = \(phone.e164)::e164 AND c.id <= \(id) ORDER BY c.id DESC LIMIT \(limit + 2)
            """)
        return try Self.texts(rows)
    }

    /// The challenges of the newest messages of the days that change no more.
    private func past(_ place: Place, _ limit: Int) async throws(PostgresError) -> [String] {
        let rows = try await postgres.read(
            """
            SELECT m.challenge_id::text FROM past_messages m
            WHERE m.challenge_id <= \(place.id) AND (m.challenge_id, m.number) < (\(place.id), \(place.number))
            ORDER BY m.challenge_id DESC, m.number DESC LIMIT \(limit)
            """)
        return try Self.texts(rows)
    }

    private static func texts(_ rows: PostgresRows) throws(PostgresError) -> [String] {
        var texts: [String] = []
        for row in rows { texts.append(try row.decode(column: 0)) }
        return texts
    }

    private static let last = UUID(
        uuid: (255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255))

    private static let columns = """
        m.challenge_id, m.number::int8, c.phone::text, c.purpose::text, m.channel::text, m.state::text, m.reason,
        m.tries::int8, c.attempts::int8, c.resends::int8, c.max_attempts::int8, c.expires_at,
        coalesce(c.id IN (p.sign_in, p.change_phone, p.admin_sign_in), false),
        m.created_at, m.submitted_at, m.delivered_at, c.verified_at, m.updated_at, now()
        """

    /// Nil for a row of a newer version's making.
    private static func message(_ row: PostgresRow, _ asOf: inout Date) throws(PostgresError) -> LoggedMessage? {
        let (
            id, number, phoneText, purposeText, channelText, stateText, reason, tries, attempts, resends, maxAttempts,
            expiresAt, named, createdAt, submittedAt, deliveredAt, verifiedAt, updatedAt, now
        ) = try row.decode(
            (
                UUID, Int, String, String, String, String, String?, Int, Int, Int, Int, Date, Bool, Date, Date?, Date?,
                Date?, Date, Date
            ).self)
        asOf = now
        guard let phone = PhoneNumber(e164: phoneText), let purpose = Purpose(rawValue: purposeText),
            let channel = Channel(rawValue: channelText), let state = MessageState(rawValue: stateText)
        else { return nil }
        let challenge = ChallengeID(uuid: id)
        var rule = Challenge(id: challenge, purpose: purpose, maxAttempts: maxAttempts, expiresAt: expiresAt)
        rule.attempts = attempts
        rule.verifiedAt = verifiedAt
        let country = BlockCountries.shared.country(of: phoneText)
        return LoggedMessage(
            name: MessageName(challengeID: challenge, number: number), phone: phone,
            country: country.isEmpty ? nil : country, purpose: purpose, channel: channel, state: state,
            reason: reason, status: rule.status(named: named, at: now), tries: tries, attempts: attempts,
            resends: resends, createdAt: createdAt, submittedAt: submittedAt, deliveredAt: deliveredAt,
            verifiedAt: verifiedAt, updatedAt: updatedAt)
    }
}
