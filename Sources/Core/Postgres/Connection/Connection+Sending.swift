import CLibPQ
import Foundation

extension Connection {
    /// Puts a statement into libpq's buffer; `flush` sends it. False when the connection is broken: the statement is owed all the
    /// same, so that whoever gives the connection up answers it.
    ///
    /// With `sharesSync` the statement waits for the Sync of its tick, else it gets one of its own.
    func send(_ statement: Statement, begin: String? = nil, sharesSync: Bool, at now: ContinuousClock.Instant) -> Bool {
        let isSent = put(statement, begin, sharesSync, now)
        ledger.sent(.execute(statement, commitsAtSync: statement.lane == .writes))
        guard isSent else { return false }
        needsSync = true
        return sharesSync ? true : sync()
    }

    private func put(
        _ statement: Statement, _ begin: String?, _ sharesSync: Bool, _ now: ContinuousClock.Instant
    ) -> Bool {
        guard let handle else { return false }
        if !sharesSync && !sync() { return false }
        if ledger.isEmpty { lastHeard = now }
        if let begin {
            guard PQsendQueryParams(handle, begin, 0, nil, nil, nil, nil, 1) == 1 else { return false }
            ledger.sent(.begin)
        }
        return buffers.withPointers(to: statement.query.parameters) { parameters in
            guard let name = prepared.name(for: statement.query.sql) else {
                return PQsendQueryParams(
                    handle, statement.query.sql, parameters.count, parameters.types, parameters.values,
                    parameters.lengths, parameters.formats, 1) == 1
            }
            if name.isNew {
                guard PQsendPrepare(handle, name.text, statement.query.sql, parameters.count, parameters.types) == 1
                else { return false }
                ledger.sent(.prepare(statement))
            }
            return PQsendQueryPrepared(
                handle, name.text, parameters.count, parameters.values, parameters.lengths, parameters.formats, 1) == 1
        }
    }

    private func sync() -> Bool {
        guard let handle, needsSync else { return true }
        needsSync = false
        guard PQpipelineSync(handle) == 1 else { return false }
        ledger.sent(.sync)
        return true
    }

    /// Closes the segment of this tick and writes what the socket takes. False when the connection is broken.
    func flush() -> Bool {
        guard let handle else { return false }
        guard sync() else { return false }
        switch PQflush(handle) {
        case 0: pollEvents = Int16(POLLIN)
        case 1: pollEvents = Int16(POLLIN | POLLOUT)
        default: return false
        }
        return true
    }
}
