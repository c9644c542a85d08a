/// Attempts in a row that the gateway said nothing about: no connection, no answer, or one that tells nothing.
package struct GatewaySilence: Sendable, Hashable {
    /// How many attempts.
    package let count: Int
    /// When they began.
    package let since: ContinuousClock.Instant
    /// Of the last one: `connect`, `timeout`, `reset`, `http-503`; never what the gateway wrote.
    package let reason: String

    /// So many attempts make the gateway count as out of reach.
    private static let longest = 5

    /// Whether the gateway counts as out of reach.
    package var isLong: Bool { count >= Self.longest }

    /// What an operator can do, and what becomes of the messages: ``RetryPolicy`` and ``DeliverMessage`` see to that.
    package var advice: String {
        let isError = reason.hasPrefix("http-") || reason.hasPrefix("gateway ")
        let cause =
            isError
            ? "MSG91 answers with errors: look at its status page." : "Check the network, DNS and MSG91_BASE_URL."
        return cause
            + " A message that did not reach MSG91 is tried again while its code lives; one that may have reached it is tried once more, and no more after that."
    }
}
