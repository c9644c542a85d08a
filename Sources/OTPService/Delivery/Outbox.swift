package import Foundation
import Identity
package import Postgres

/// The outbox in the database: what is to be sent, and who has it.
///
/// A message is taken under a lease of 30 s whose token fences late reports; no transaction is open while the gateway is asked.
/// Everything throws `PostgresError`.
package struct Outbox: Sendable {
    let postgres: PostgresClient
    /// Seconds. Longer than two attempts of 7 s with the pause between them.
    let leaseSeconds: Int

    /// An outbox whose leases last this long.
    package init(postgres: PostgresClient, leaseSeconds: Int = 30) {
        self.postgres = postgres
        self.leaseSeconds = leaseSeconds
    }

    /// Takes up to `limit` due messages, oldest first, and ends those whose challenge cannot be answered any more.
    ///
    /// `leastTriedFirst`: for probes, so that messages that were refused do not stand before those that were never tried.
    package func claim(
        _ limit: Int, leastTriedFirst: Bool = false, at moment: Date? = nil
    ) async throws(PostgresError) -> [Message] {
        let lease = UUID()
        let rows = try await postgres.write(
            """
            SELECT challenge_id, number, channel, tries, phone, purpose, key_id, code_length, remaining, waited, sent_before
            FROM take_messages(\(moment), \(limit), \(leastTriedFirst), \(lease), \(leaseSeconds))
            """)
        var messages: [Message] = []
        messages.reserveCapacity(rows.count)
        for row in rows {
            let (id, number, channel, tries, phone, purpose, keyID, length, remaining, waited, sentBefore) =
                try row.decode(
                    (UUID, Int, String, Int, String, String, String, Int, Int, Int, Bool).self)
            guard let channel = Channel(rawValue: channel), let phone = PhoneNumber(e164: phone),
                let purpose = Purpose(rawValue: purpose)
            else { continue }  // Of a newer version's making; its lease passes, and that version takes it.
            messages.append(
                Message(
                    challengeID: ChallengeID(uuid: id), number: number, channel: channel, tries: tries, phone: phone,
                    purpose: purpose, keyID: keyID, codeLength: length, remaining: .microseconds(remaining),
                    waited: .microseconds(waited), sentBefore: sentBefore, lease: lease))
        }
        return messages
    }

    /// Ends messages whose code died while nothing may be taken, so that they do not wait for ever, and do not stand before
    /// those that can still be sent; returns how many.
    @discardableResult
    package func endDead(at moment: Date? = nil) async throws(PostgresError) -> Int {
        var total = 0
        while true {
            let rows = try await postgres.write("SELECT end_dead_messages(\(moment), 500)")
            let count = try rows.first?.decode(column: 0) ?? 0
            total += count
            if count < 500 { return total }
        }
    }

    /// Writes down what became of messages, in one statement; returns how many of them were still ours.
    @discardableResult
    package func report(
        _ reports: [(message: Message, report: MessageReport)], at moment: Date? = nil
    ) async throws(PostgresError) -> Int {
        // In order, so that two processes with each other's lost leases cannot wait for each other.
        let sorted = reports.sorted { ($0.message.correlation) < ($1.message.correlation) }
        let columns = sorted.map { ReportColumns($0.report) }
        let rows = try await postgres.write(
            """
            SELECT report_messages(
                \(moment), \(sorted.map(\.message.lease)), \(sorted.map(\.message.challengeID.uuid)),
                \(sorted.map(\.message.number)), \(columns.map(\.state.rawValue)), \(columns.map(\.gatewayID)),
                \(columns.map(\.reason)), \(columns.map(\.pause)))
            """)
        return try rows.first?.decode(column: 0) ?? 0
    }

    /// How many messages wait, and for how many seconds the oldest has.
    package func depth() async throws(PostgresError) -> OutboxDepth {
        let rows = try await postgres.read(
            """
            SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8
            FROM messages WHERE state = 'queued'
            """)
        guard let row = rows.first else { return OutboxDepth(count: 0, oldestSeconds: 0) }
        let (count, oldest) = try row.decode((Int, Double).self)
        return OutboxDepth(count: count, oldestSeconds: max(0, oldest))
    }
}

/// How full the outbox is.
package struct OutboxDepth: Sendable, Hashable {
    /// Messages that wait or are on their way.
    package let count: Int
    /// Age of the oldest; 0 if there is none.
    package let oldestSeconds: Double
}

/// A report as columns.
private struct ReportColumns {
    var state = MessageState.queued
    var gatewayID = ""
    var reason = ""
    /// Milliseconds.
    var pause = 0

    init(_ report: MessageReport) {
        switch report {
        case .submitted(let id):
            state = .submitted
            gatewayID = id
        case .unresolved(let text):
            state = .unresolved
            reason = text
        case .failed(let text):
            state = .failed
            reason = text
        case .again(let after, let text):
            reason = text
            pause = Int(after / .milliseconds(1))
        }
    }
}
