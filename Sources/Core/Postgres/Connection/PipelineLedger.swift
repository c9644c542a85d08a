import DequeModule

/// What one connection has sent and not yet seen answered, in order; and what each answer means.
///
/// A pure value: the shell around libpq feeds it the events that `PQgetResult` reports and carries out the actions.
/// A pipeline is a row of *segments*, each closed by a Sync. An error aborts the rest of its segment only; what was
/// aborted was not executed and is handed back, to be sent again (libpq manual, 34.5).
package struct PipelineLedger<Work, Rows, Failure> {
    package enum Entry {
        /// A Parse of the statement that `Work` needs first.
        case prepare(Work)
        /// A BEGIN that travels ahead of a transaction's first statement; nobody waits for its rows.
        case begin
        /// With `commitsAtSync` the statement is a transaction of its own. The server says that it was executed before it commits:
        /// only its Sync's answer says that it is durable (manual, 55.2.3), so its rows are held back until then.
        case execute(Work, commitsAtSync: Bool = false)
        case sync
    }

    package enum Event {
        case rows(Rows)
        case failed(Failure)
        case aborted
        case endOfStatement
        case synced
    }

    package enum Action {
        case none
        case complete(Work, Rows)
        case fail(Work, Failure)
        /// It was executed, and something went wrong on the way to its commit or just after.
        case failAtCommit(Work, Failure)
        /// Not executed because an earlier statement of its segment failed.
        case retry(Work)
        /// The statement did not become prepared; its execution, which follows, decides what happens to the work.
        case notPrepared(Work)
        /// The answer does not fit what was sent: the connection must be closed.
        case confused
    }

    private enum Outcome {
        case rows(Rows)
        case failed(Failure)
        case aborted
    }

    private var entries: Deque<Entry> = []
    private var outcome: Outcome?
    private var prepareFailure: Failure?
    /// What was executed and is not known to be committed.
    private var uncommitted: (work: Work, rows: Rows)?
    /// Statements sent and not answered.
    package private(set) var executing = 0

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// The statements that wait for their answers, oldest first.
    package func forEachExecuting(_ body: (Work) -> Void) {
        if let uncommitted { body(uncommitted.work) }
        for case .execute(let work, _) in entries { body(work) }
    }

    package mutating func sent(_ entry: Entry) {
        if case .execute = entry { executing += 1 }
        entries.append(entry)
    }

    /// Everything unanswered, when the connection is gone.
    package mutating func abandon() -> [Work] {
        defer { self = PipelineLedger() }
        let unanswered = entries.compactMap { if case .execute(let work, _) = $0 { work } else { nil } }
        return [uncommitted?.work].compactMap(\.self) + unanswered
    }

    package mutating func received(_ event: Event) -> Action {
        guard let head = entries.first else { return .confused }
        switch event {
        case .rows(let rows): return note(.rows(rows), head)
        case .failed(let failure): return note(.failed(failure), head)
        case .aborted: return note(.aborted, head)
        case .synced:
            guard case .sync = head, outcome == nil else { return .confused }
            entries.removeFirst()
            prepareFailure = nil
            guard let done = takeUncommitted() else { return .none }
            return .complete(done.work, done.rows)
        case .endOfStatement:
            return finish(head)
        }
    }

    private mutating func takeUncommitted() -> (work: Work, rows: Rows)? {
        guard let held = uncommitted else { return nil }
        uncommitted = nil
        executing -= 1
        return held
    }

    private mutating func note(_ seen: Outcome, _ head: Entry) -> Action {
        if case .sync = head {
            // A commit may fail: a deferred constraint, a conflict of serializable transactions, a server that goes away.
            guard case .failed = seen, uncommitted != nil else { return .confused }
        }
        guard outcome == nil else { return .confused }
        outcome = seen
        return .none
    }

    private mutating func finish(_ head: Entry) -> Action {
        guard let outcome else { return .confused }
        self.outcome = nil
        if case .sync = head {
            guard case .failed(let failure) = outcome, let held = takeUncommitted() else { return .confused }
            return .failAtCommit(held.work, failure)
        }
        entries.removeFirst()
        switch head {
        case .sync: return .confused
        case .begin:
            if case .failed(let failure) = outcome { prepareFailure = failure }
            return .none
        case .prepare(let work):
            switch outcome {
            case .rows: return .none
            case .failed(let failure):
                prepareFailure = failure
                return .notPrepared(work)
            case .aborted: return .notPrepared(work)
            }
        case .execute(let work, let commitsAtSync):
            if commitsAtSync, case .rows(let rows) = outcome {
                guard uncommitted == nil else { return .confused }
                uncommitted = (work, rows)
                return .none
            }
            executing -= 1
            switch outcome {
            case .rows(let rows): return .complete(work, rows)
            case .failed(let failure): return .fail(work, failure)
            case .aborted:
                guard let failure = prepareFailure else { return .retry(work) }
                prepareFailure = nil
                return .fail(work, failure)
            }
        }
    }
}
