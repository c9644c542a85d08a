/// Who listens to what, and the connection that does it for all. Belongs to the reactor's thread.
struct Listener {
    /// How often an idle listening connection is asked for a sign of life, so that a black hole is noticed.
    static let ping = Duration.seconds(5)

    private var subscriptions: [Subscription] = []
    private weak var connection: Connection?
    private var lastPing: ContinuousClock.Instant = .now

    var isWanted: Bool { !subscriptions.isEmpty }

    mutating func add(_ subscription: Subscription, timing: Timing) {
        subscriptions.append(subscription)
        if let connection { listen([subscription], on: connection, timing: timing) }
    }

    mutating func remove(_ subscription: Subscription) {
        // The channel stays listened to: another subscriber may come, and an unheard notification costs nothing.
        subscriptions.removeAll { $0 === subscription }
    }

    mutating func connected(_ connection: Connection, timing: Timing) {
        self.connection = connection
        lastPing = .now
        listen(subscriptions, on: connection, timing: timing)
    }

    mutating func disconnected() { connection = nil }

    func deliver(channel: String, payload: String) {
        for subscription in subscriptions where subscription.channel == channel {
            subscription.yield(.notification(payload: payload))
        }
    }

    func finish() { for subscription in subscriptions { subscription.finish() } }

    mutating func keepAlive(on connection: Connection, at now: ContinuousClock.Instant, timing: Timing) {
        guard connection.isReady, connection.isIdle, now - lastPing >= Listener.ping else { return }
        lastPing = now
        send("SELECT 1", on: connection, timing: timing) {}
    }

    private func listen(_ subscriptions: [Subscription], on connection: Connection, timing: Timing) {
        for subscription in subscriptions {
            let name = subscription.channel.split(separator: "\"", omittingEmptySubsequences: false)
                .joined(separator: "\"\"")
            // Only once LISTEN has committed is nothing missed any more.
            send(PostgresQuery(unescaped: "LISTEN \"\(name)\""), on: connection, timing: timing) {
                subscription.yield(.reconnected)
            }
        }
    }

    private func send(
        _ query: PostgresQuery, on connection: Connection, timing: Timing, then: @escaping () -> Void
    ) {
        let now = ContinuousClock.now
        let statement = Statement(query, lane: .notifications, timing: timing, now: now)
        statement.isSubmitted = true
        statement.onAnswer { answer in if case .success = answer { then() } }
        if !connection.send(statement, sharesSync: false, at: now) || !connection.flush() { connection.retire() }
    }
}
