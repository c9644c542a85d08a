import Foundation
import HTTPServer
import Identity
import Logging
import Postgres

/// Rotates a refresh token.
struct RefreshSession: Sendable {
    let store: SessionStore
    let issuer: SessionIssuer
    let signal: ChangeSignal
    let logger: Logger

    /// Presents the text that a client sent. Throws `RefreshError`, `PostgresError`, or what signing throws.
    func callAsFunction(_ text: String, from address: ClientAddress) async throws -> SessionTokens {
        guard let token = issuer.refreshTokens.read(text),
            let successor = issuer.refreshTokens.token(of: token.sessionID, generation: token.generation + 1)
        else { throw RefreshError.invalid }
        let (outcome, grant) = try await store.refresh(
            token, successor: successor, accessTokenID: .version7(), from: address)
        UserMetrics.refreshed(outcome)
        switch outcome {
        case .rotated, .repeated:
            guard let grant, let tokens = try await issuer.tokens(for: grant) else { throw RefreshError.invalid }
            return tokens
        case .reused:
            signal.give()
            // Somebody may have stolen it: worth a line for whoever looks for that.
            logger.warning(
                "A replaced refresh token was presented; its session was ended",
                metadata: ["session": "\(token.sessionID)", "generation": "\(token.generation)"])
            throw RefreshError.reused
        case .refused: throw RefreshError.invalid
        }
    }
}

/// Why a refresh token gives no successor.
enum RefreshError: Error, Hashable {
    /// It is no token of ours, or its session is over.
    case invalid
    /// It was replaced long since; its session has ended now.
    case reused
}
