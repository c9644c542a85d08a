/// The three ways to the server, each with connections of its own, so that none can starve another.
package enum LaneKind: Int, Sendable, CaseIterable {
    /// Autocommit reads of many tasks, pipelined; those of one tick share a Sync. The server refuses writes here.
    case reads
    /// Single durable statements of many tasks, each a transaction of its own with its own Sync. Few to a connection
    /// and spread over several, so that the server can group their commits.
    case writes
    /// One task at a time: BEGIN … COMMIT.
    case transactions
    /// LISTEN only.
    case notifications

    /// How many unanswered statements one connection may hold.
    var depth: Int {
        switch self {
        case .reads: 64
        case .writes: 2
        case .transactions, .notifications: 1
        }
    }
}
