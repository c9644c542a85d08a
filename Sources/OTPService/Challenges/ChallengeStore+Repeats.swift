import Foundation
import Identity
package import Postgres

extension ChallengeStore {
    /// What a send with this key was answered first, replayed, or that the key stands for another request; nil within a day of no
    /// such send. For repeats of what would be refused by now without the database being asked.
    package func firstAnswer(to key: RepeatKey) async throws(PostgresError) -> SendDecision? {
        let rows = try await postgres.read(
            """
            SELECT k.fingerprint = \(key.fingerprint), k.decided_at, k.challenge_id, k.channel::text, k.lifetime::int8,
                k.resend_after::int8, k.resends_left::int8, k.attempts_left::int8, k.code_length::int8
            FROM idempotency_keys k WHERE k.key = \(key.key) AND k.decided_at > clock_timestamp() - interval '24 h'
            """)
        guard let row = rows.first else { return nil }
        let (isSame, decidedAt, challenge, channelName, lifetime, resendAfter, resendsLeft, attemptsLeft, codeLength) =
            try row.decode((Bool, Date, UUID, String, Int, Int, Int, Int, Int).self)
        guard isSame else { return .keyReused }
        guard let channel = Channel(rawValue: channelName) else {
            throw PostgresError(.decoding, "a channel that this version does not know")
        }
        return .replayed(
            ChallengeReceipt(
                challengeID: ChallengeID(uuid: challenge), channel: channel,
                expiresAt: decidedAt.addingTimeInterval(TimeInterval(lifetime)), expiresIn: lifetime,
                resendAfter: resendAfter, resendsLeft: resendsLeft, attemptsLeft: attemptsLeft, codeLength: codeLength))
    }
}
