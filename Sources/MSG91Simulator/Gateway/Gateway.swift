internal import Foundation
internal import Synchronization

/// MSG91 as one value behind a lock: what it knows, and what it answers.
///
/// Tests in the same process read and steer it directly, others over the control paths.
package final class Gateway: Sendable {
    /// Everything that a request may read or change.
    struct State {
        var account: Account
        var codes: OpenCodes
        /// Codes of the widget, by request id.
        var widgetCodes: OpenCodes
        var outbox: Outbox
        var failed: BoundedLog<FailedMessage>
        var seen: BoundedLog<SeenRequest>
        var faults = FaultPlan()
        var reporting = Reporting()
        /// Delivery reports that the running request has caused.
        var dueReports: [DeliveryReport] = []
    }

    private let state: Mutex<State>
    /// Reports on their way to the webhook; a full queue drops the oldest.
    let reports: AsyncStream<DeliveryReport>
    private let reportQueue: AsyncStream<DeliveryReport>.Continuation

    /// A gateway that remembers the newest `capacity` messages.
    package init(account: Account, capacity: Int = 10_000) {
        state = Mutex(
            State(
                account: account, codes: OpenCodes(capacity: capacity * 5),
                widgetCodes: OpenCodes(capacity: capacity), outbox: Outbox(capacity: capacity),
                failed: BoundedLog(capacity: capacity), seen: BoundedLog(capacity: 1000)))
        (reports, reportQueue) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(capacity))
    }

    /// Answers one call to a provider's path.
    func answer(_ endpoint: Endpoint, _ parameters: Parameters, now: Date = .now) -> Answer {
        let (answer, reports, sends) = state.withLock { state in
            let answer = state.answer(endpoint, parameters, now: now)
            defer { state.dueReports = [] }
            return (answer, state.dueReports, state.reporting.isConfigured)
        }
        if sends { for report in reports { reportQueue.yield(report) } }
        return answer
    }

    /// Decides the fault of a call and writes down that it was made.
    func admit(_ request: SeenRequest, endpoint: Endpoint, parameters: Parameters) -> (fault: Fault?, account: Account)
    {
        state.withLock { state in
            state.seen.append(request)
            let fault = state.faults.take(endpoint, mobile: parameters.mobile)
            return (fault ?? state.numberFault(endpoint, parameters), state.account)
        }
    }

    /// Messages that reached phones, newest first.
    package func messages(to mobile: String? = nil, limit: Int = .max) -> [Message] {
        state.withLock { $0.outbox.messages(to: mobile, limit: limit) }
    }

    /// Accepted messages that were never sent, newest first.
    package func failedMessages() -> [FailedMessage] {
        state.withLock { $0.failed.newestFirst }
    }

    /// The newest calls to the provider's paths, newest first.
    package func requests() -> [SeenRequest] {
        state.withLock { $0.seen.newestFirst }
    }

    /// Empties inbox, failed log and request log; open codes stay.
    package func removeMessages() {
        state.withLock { state in
            state.outbox.removeAll()
            state.failed.removeAll()
            state.seen.removeAll()
        }
    }

    /// What the next calls suffer, in this order of precedence; an empty list ends all faults.
    package func setFaults(_ faults: [Fault]) {
        state.withLock { $0.faults = FaultPlan(faults) }
    }

    /// The faults that still have calls to go.
    package func faults() -> [Fault] {
        state.withLock { $0.faults.remaining }
    }

    /// Changes the account.
    package func updateAccount(_ change: @Sendable (inout Account) -> Void) {
        state.withLock { change(&$0.account) }
    }

    /// The account as it is now.
    package func account() -> Account {
        state.withLock { $0.account }
    }

    /// Where and how delivery reports go.
    package func setReporting(_ reporting: Reporting) {
        state.withLock { $0.reporting = reporting }
    }

    /// What MSG91 does to a webhook that fails too often.
    func pauseReporting() {
        state.withLock { $0.reporting.paused = true }
    }

    /// Where and how delivery reports go now.
    package func reporting() -> Reporting {
        state.withLock { $0.reporting }
    }
}

extension Gateway.State {
    mutating func answer(_ endpoint: Endpoint, _ parameters: Parameters, now: Date) -> Answer {
        switch endpoint {
        case .send: send(parameters, now: now)
        case .verify: verify(parameters, now: now)
        case .retry: retry(parameters, now: now)
        case .flow: flow(parameters, now: now)
        case .whatsapp: whatsapp(parameters, now: now)
        case .logs: logs(parameters, now: now)
        case .balance: balance(parameters)
        case .widgetSend: widgetSend(parameters, now: now)
        case .widgetRetry: widgetRetry(parameters, now: now)
        case .widgetVerify: widgetVerify(parameters, now: now)
        case .widgetToken: widgetToken(parameters)
        }
    }
}
