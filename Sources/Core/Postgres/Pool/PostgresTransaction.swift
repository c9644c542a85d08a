import Logging
import Synchronization

/// How much of other transactions a transaction sees (PostgreSQL manual, 13.2).
package enum PostgresIsolation: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

/// A transaction on a connection of its own. Valid only inside the closure that received it.
package final class PostgresTransaction: Sendable {
    private let client: PostgresClient
    private let lease: Lease
    private let hasBegun = Mutex(false)

    init(client: PostgresClient, lease: Lease) {
        self.client = client
        self.lease = lease
    }

    /// Runs one statement inside of the transaction. The first one takes BEGIN with it in the same packet.
    package func query(_ query: PostgresQuery) async throws(PostgresError) -> PostgresRows {
        hasBegun.withLock { $0 = true }
        return try await client.perform(statement(query))
    }

    private func statement(_ query: PostgresQuery, decidesOutcome: Bool = false) -> Statement {
        Statement(
            query, lane: .transactions, lease: lease, decidesOutcome: decidesOutcome,
            timing: client.configuration.timing, now: .now)
    }

    /// Commits. Not cancellable: a COMMIT that was sent decides.
    fileprivate func commit() async throws(PostgresError) {
        guard hasBegun.withLock({ $0 }) else { return }
        let rows = try await client.wait(for: statement("COMMIT", decidesOutcome: true)).get()
        // The server answers ROLLBACK to the COMMIT of a transaction in which a statement failed.
        guard rows.commandTag == "COMMIT" else {
            throw PostgresError(.server, "an earlier statement failed", sqlState: .inFailedTransaction)
        }
    }

    /// Rolls back; false when the connection should rather be closed.
    fileprivate func rollBack() async -> Bool {
        guard hasBegun.withLock({ $0 }) else { return true }
        if Task.isCancelled { return false }
        guard case .success = await client.wait(for: statement("ROLLBACK")) else { return false }
        return true
    }
}

extension PostgresClient {
    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
    ///
    /// After a serialization failure or a deadlock the whole body runs again, three times at most, so it must have no
    /// effects outside of the transaction. Outcomes that must stay (a counted attempt) are returned, not thrown.
    nonisolated(nonsending) package func transaction<Value: Sendable>(
        isolation: PostgresIsolation = .readCommitted,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        var attempt = 1
        while true {
            do {
                return try await attemptTransaction(isolation, body)
            } catch let error as PostgresError
                where error.sqlState?.isRetryable == true && attempt < 4 && !Task.isCancelled
            {
                attempt += 1
                // Those that met once should not meet again in the same order.
                try? await Task.sleep(for: .milliseconds(Int.random(in: 1...(10 * attempt))))
            }
        }
    }

    nonisolated(nonsending) private func attemptTransaction<Value: Sendable>(
        _ isolation: PostgresIsolation, _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        let lease = Lease(
            begin: "BEGIN ISOLATION LEVEL \(isolation.rawValue)", timing: configuration.timing, now: .now)
        try await checkOut(lease)
        let transaction = PostgresTransaction(client: self, lease: lease)
        do {
            let value = try await body(transaction)
            try await transaction.commit()
            _ = reactor.inbox.post(.release(lease, isClean: true))
            return value
        } catch {
            let isClean = await transaction.rollBack()
            _ = reactor.inbox.post(.release(lease, isClean: isClean))
            throw error
        }
    }

    private func checkOut(_ lease: Lease) async throws(PostgresError) {
        let inbox = reactor.inbox
        let answer = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                lease.wait(with: continuation)
                if !inbox.post(.checkout(lease)) {
                    lease.answer(.failure(PostgresError(.unavailable, "shut down")))
                }
            }
        } onCancel: {
            _ = inbox.post(.cancelCheckout(lease))
        }
        return try answer.get()
    }
}
