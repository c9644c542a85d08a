import Deadlines
import DequeModule
import Synchronization

/// Reads of one form by many tasks, answered by few statements (batching, as a data loader does).
///
/// As long as fewer than `concurrency` statements are under way, a read is a statement of its own and waits for nobody. The
/// reads that come meanwhile collect, and are one statement as soon as one has ended: load makes the batches by itself. Each
/// answer is of a statement that began after it was asked for, so it is as fresh as one of its own.
package final class BatchedRead<Key: Sendable, Value: Sendable>: Sendable {
    /// Answers keys by one statement: as many values as keys, in their order.
    package typealias Ask = @Sendable ([Key]) async throws(PostgresError) -> [Value]

    private struct Waiter {
        let key: Key
        let deadline: ContinuousClock.Instant?
        let continuation: UnsafeContinuation<Result<Value, PostgresError>, Never>
    }

    private struct State {
        var waiting: Deque<Waiter> = []
        var underWay = 0
    }

    private let concurrency: Int
    private let limit: Int
    private let ask: Ask
    private let state = Mutex(State())

    /// At most `concurrency` statements at a time, each for at most `limit` keys; both at least 1.
    package init(concurrency: Int = 2, limit: Int = 64, ask: @escaping Ask) {
        self.concurrency = max(concurrency, 1)
        self.limit = max(limit, 1)
        self.ask = ask
    }

    /// Reads the value of a key. Throws what its statement threw, which it may have shared with others.
    package func read(_ key: Key) async throws(PostgresError) -> Value {
        let isFree = state.withLock { state in
            guard state.underWay < concurrency else { return false }
            state.underWay += 1
            return true
        }
        if isFree {
            defer { goOn() }
            return try Self.only(try await ask([key]))
        }
        let answer = await withUnsafeContinuation { continuation in
            let waiter = Waiter(key: key, deadline: RequestDeadline.current, continuation: continuation)
            let batch = state.withLock { state in
                state.waiting.append(waiter)
                // One may have ended since.
                guard state.underWay < concurrency else { return [Waiter]() }
                state.underWay += 1
                return take(&state)
            }
            start(batch)
        }
        return try answer.get()
    }

    private static func only(_ values: [Value]) throws(PostgresError) -> Value {
        guard let value = values.first, values.count == 1 else {
            throw PostgresError(.decoding, "not one value for one key")
        }
        return value
    }

    private func take(_ state: inout State) -> [Waiter] {
        let batch = Array(state.waiting.prefix(limit))
        state.waiting.removeFirst(batch.count)
        return batch
    }

    /// Lets those that collected follow a statement that has ended.
    private func goOn() {
        start(
            state.withLock { state in
                if state.waiting.isEmpty { state.underWay -= 1 }
                return take(&state)
            })
    }

    /// In a task of its own: that of one of them might be cancelled, and has a deadline that is not the others'.
    private func start(_ batch: [Waiter]) {
        guard !batch.isEmpty else { return }
        Task.detached { await self.answer(batch) }
    }

    private func answer(_ batch: [Waiter]) async {
        let deadline = batch.contains { $0.deadline == nil } ? nil : batch.compactMap(\.deadline).max()
        let result = await RequestDeadline.$current.withValue(deadline) { () async -> Result<[Value], PostgresError> in
            do throws(PostgresError) {
                let values = try await ask(batch.map(\.key))
                guard values.count == batch.count else { throw PostgresError(.decoding, "not one value for each key") }
                return .success(values)
            } catch {
                return .failure(error)
            }
        }
        goOn()
        switch result {
        case .success(let values):
            for (waiter, value) in zip(batch, values) { waiter.continuation.resume(returning: .success(value)) }
        case .failure(let error):
            for waiter in batch { waiter.continuation.resume(returning: .failure(error)) }
        }
    }
}
