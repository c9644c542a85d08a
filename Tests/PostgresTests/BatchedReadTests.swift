import Deadlines
import Postgres
import PostgresTestKit
import Synchronization
import Testing

/// Many reads by few statements.
@Suite(.timeLimit(.minutes(5))) struct BatchedReadTests {
    /// Answers keys with their negatives, when it is let, and nothing in a task that was cancelled.
    private final class Source: Sendable {
        struct State {
            var batches: [[Int]] = []
            /// When each batch has to be answered.
            var deadlines: [ContinuousClock.Instant?] = []
            var isOpen = false
            var waiting: [CheckedContinuation<Void, Never>] = []
        }
        let state = Mutex(State())

        var batches: [[Int]] { state.withLock { $0.batches } }
        var deadlines: [ContinuousClock.Instant?] { state.withLock { $0.deadlines } }

        func open() {
            let waiting = state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }

        func ask(_ keys: [Int]) async throws(PostgresError) -> [Int] {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    state.batches.append(keys)
                    state.deadlines.append(RequestDeadline.current)
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
            if Task.isCancelled { throw PostgresError(.unavailable, "cancelled") }
            if keys.contains(13) { throw PostgresError(.server, "unlucky") }
            if keys.contains(14) { return [] }
            return keys.map { -$0 }
        }

        /// Waits until so many statements have begun.
        func begun(_ count: Int) async throws {
            for _ in 0..<2000 where batches.count < count { try await Task.sleep(for: .milliseconds(5)) }
            #expect(batches.count == count)
        }
    }

    private func batched(_ source: Source, limit: Int = 64) -> BatchedRead<Int, Int> {
        BatchedRead(concurrency: 2, limit: limit) { (keys) async throws(PostgresError) in try await source.ask(keys) }
    }

    /// Reads keys at once, behind two reads that do not end before the source is opened.
    private func crowd(
        _ keys: [Int], _ source: Source, limit: Int = 64,
        deadline: @escaping @Sendable (Int) -> ContinuousClock.Instant? = { _ in nil }
    ) async throws -> [Int: Result<Int, PostgresError>] {
        let reads = batched(source, limit: limit)
        let first = [Task { try await reads.read(1000) }, Task { try await reads.read(1001) }]
        try await source.begun(2)
        let tasks = keys.map { key in
            Task { () async -> (Int, Result<Int, PostgresError>) in
                await RequestDeadline.$current.withValue(deadline(key)) {
                    do throws(PostgresError) { return (key, .success(try await reads.read(key))) } catch {
                        return (key, .failure(error))
                    }
                }
            }
        }
        // So that all have come to wait.
        try await Task.sleep(for: .milliseconds(200))
        source.open()
        for (task, expected) in zip(first, [-1000, -1001]) {
            let value = try await task.value
            #expect(value == expected)
        }
        var answers: [Int: Result<Int, PostgresError>] = [:]
        for task in tasks {
            let (key, answer) = await task.value
            answers[key] = answer
        }
        return answers
    }

    @Test func aLoneReadIsAStatementOfItsOwn() async throws {
        let source = Source()
        source.open()
        let reads = batched(source)
        for key in 1...5 {
            let value = try await reads.read(key)
            #expect(value == -key)
        }
        #expect(source.batches == [[1], [2], [3], [4], [5]])
    }

    @Test func whatComesMeanwhileIsOneStatement() async throws {
        let source = Source()
        let answers = try await crowd(Array(100..<140), source)
        #expect(answers.count == 40)
        for (key, answer) in answers { #expect(answer == .success(-key)) }
        #expect(source.batches.count <= 4)
        #expect(source.batches.flatMap { $0 }.count == 42)
    }

    @Test func noStatementIsForMoreThanTheLimit() async throws {
        let source = Source()
        let answers = try await crowd(Array(100..<140), source, limit: 7)
        #expect(answers.count == 40)
        for (key, answer) in answers { #expect(answer == .success(-key)) }
        #expect(source.batches.allSatisfy { $0.count <= 7 })
    }

    @Test func aFailureIsOfItsOwnStatement() async throws {
        let source = Source()
        let answers = try await crowd([11, 12, 13], source, limit: 1)
        #expect(answers[11] == .success(-11) && answers[12] == .success(-12))
        #expect(answers[13] == .failure(PostgresError(.server, "unlucky")))
        let short = try await crowd([14], Source())
        guard case .failure = short[14] else {
            Issue.record("a value from nowhere")
            return
        }
    }

    /// Lets a crowd come again until two of it have shared a statement; its keys, its deadline and all answers.
    private func shared(
        _ keys: [Int], deadline: @escaping @Sendable (Int) -> ContinuousClock.Instant? = { _ in nil }
    ) async throws -> (keys: [Int], deadline: ContinuousClock.Instant?, answers: [Int: Result<Int, PostgresError>]) {
        for _ in 0..<20 {
            let source = Source()
            let answers = try await crowd(keys, source, deadline: deadline)
            if let index = source.batches.firstIndex(where: { $0.count == keys.count }) {
                return (source.batches[index], source.deadlines[index], answers)
            }
        }
        throw PostgresError(.unavailable, "\(keys) have not met")
    }

    @Test func aFailureIsOfAllThatShareItsStatement() async throws {
        let (_, _, unlucky) = try await shared([11, 12, 13])
        for key in 11...13 { #expect(unlucky[key] == .failure(PostgresError(.server, "unlucky"))) }
        let (_, _, short) = try await shared([14, 15])
        for key in 14...15 {
            guard case .failure = short[key] else {
                Issue.record("a value from nowhere")
                continue
            }
        }
    }

    @Test func theDeadlineIsTheLatestOfThoseWhoAsk() async throws {
        let now = ContinuousClock.now
        let timed = try await shared([1, 2, 3]) { now + .seconds([300, 400, 350][$0 - 1]) }
        #expect(timed.deadline == now + .seconds(400))
        // Whoever has none is not cut short by the others.
        let untimed = try await shared([1, 2, 3]) { $0 == 2 ? nil : now + .seconds(300) }
        #expect(untimed.deadline == nil && untimed.answers[2] == .success(-2))
    }

    @Test func aStatementEndsWithItsDeadline() async throws {
        try await withTestDatabase { database in
            let client = database.client
            let reads = BatchedRead<Int, Int>(concurrency: 1) { (keys) async throws(PostgresError) in
                _ = try await client.read("SELECT pg_sleep(\(keys == [1] ? 0.2 : 30.0))")
                return keys
            }
            let first = Task { try await reads.read(1) }
            try await Task.sleep(for: .milliseconds(50))
            let began = ContinuousClock.now
            let error = await #expect(throws: PostgresError.self) {
                try await RequestDeadline.$current.withValue(began.advanced(by: .milliseconds(500))) {
                    try await reads.read(2)
                }
            }
            // Long before the client's own patience would end.
            #expect(error?.isUnavailable == true && ContinuousClock.now - began < .seconds(2))
            _ = try await first.value
        }
    }

    @Test func whoIsCancelledHarmsNobody() async throws {
        let source = Source()
        let reads = batched(source)
        let first = [Task { try await reads.read(1) }, Task { try await reads.read(2) }]
        try await source.begun(2)
        let second = [Task { try await reads.read(3) }, Task { try await reads.read(4) }]
        try await Task.sleep(for: .milliseconds(200))
        // One whose statement is under way, and one who waits with another.
        first[0].cancel()
        second[0].cancel()
        source.open()
        await #expect(throws: PostgresError(.unavailable, "cancelled")) { try await first[0].value }
        let values = [try await first[1].value, try await second[1].value]
        #expect(values == [-2, -4])
    }
}
