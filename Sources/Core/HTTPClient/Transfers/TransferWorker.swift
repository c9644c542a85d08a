internal import CLibCurl
internal import Synchronization

/// The state of the loop's thread, and its turns; never seen by another thread.
struct TransferWorker {
    private let multi: UnsafeMutableRawPointer
    private let configuration: HTTPClientConfiguration
    private var admission: Admission
    /// All transfers that are not answered, waiting and running.
    private var transfers: [UInt64: Transfer] = [:]
    /// No deadline is earlier than this; a removed transfer may leave it too early, which costs one idle turn.
    private var nextDeadline: ContinuousClock.Instant?
    private var idleHandles: [UnsafeMutableRawPointer] = []
    private var isDraining = false

    init(multi: UnsafeMutableRawPointer, configuration: HTTPClientConfiguration) {
        self.multi = multi
        self.configuration = configuration
        admission = Admission(perHost: configuration.connectionsPerHost, inTotal: configuration.connectionsInTotal)
        // The cache of idle connections; without the limit it grows to four times the running transfers.
        postkey_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.connectionsInTotal)
        postkey_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    }

    /// Turns until a drain or an abort has left nothing to do.
    mutating func work(_ inbox: TransferInbox) {
        while true {
            for command in inbox.take() { obey(command) }
            expire(now: .now)
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            if collect() { continue }
            if isDraining, transfers.isEmpty, inbox.close() { break }
            curl_multi_poll(multi, nil, 0, Int32(pollTimeout(now: .now)), nil)
        }
        for handle in idleHandles { curl_easy_cleanup(handle) }
        curl_multi_cleanup(multi)
    }

    private mutating func obey(_ command: Command) {
        switch command {
        case .start(let submission): adopt(submission)
        case .cancel(let id): end(id) { .failure(.cancelled(maybeSent: $0)) }
        case .drain: isDraining = true
        case .abort:
            isDraining = true
            for id in Array(transfers.keys) { end(id) { .failure(.stopped(maybeSent: $0)) } }
        }
    }

    private mutating func adopt(_ submission: Submission) {
        if submission.ticket.isCancelled.load(ordering: .sequentiallyConsistent) {
            return submission.continuation.resume(returning: .failure(.cancelled(maybeSent: false)))
        }
        let transfer = Transfer(submission, configuration: configuration)
        transfers[transfer.id] = transfer
        nextDeadline = min(nextDeadline ?? transfer.deadline, transfer.deadline)
        if transfer.deadline > .now, admission.admit(transfer.id, to: transfer.request.target) {
            start(transfer)
        } else if transfer.deadline <= .now {
            transfers[transfer.id] = nil
            transfer.continuation.resume(returning: .failure(.timeout(maybeSent: false)))
        }
    }

    private mutating func start(_ transfer: Transfer) {
        guard let handle = idleHandles.popLast() ?? curl_easy_init() else {
            return finish(transfer, with: .failure(.connect))
        }
        transfer.attach(handle)
        if !transfer.configureHandle() || curl_multi_add_handle(multi, handle) != CURLM_OK {
            finish(transfer, with: .failure(.invalidRequest))
        }
    }

    /// Answers what libcurl has finished; true when it found any.
    private mutating func collect() -> Bool {
        var found = false
        var remaining: Int32 = 0
        while let message = curl_multi_info_read(multi, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            // The message is gone once its handle is removed.
            let code = message.pointee.data.result
            guard let handle = message.pointee.easy_handle, let transfer = Transfer.owner(of: handle) else { continue }
            found = true
            finish(transfer, with: transfer.result(code))
        }
        return found
    }

    private mutating func expire(now: ContinuousClock.Instant) {
        guard let earliest = nextDeadline, earliest <= now else { return }
        let due = transfers.values.filter { $0.deadline <= now }.map(\.id)
        for id in due { end(id) { .failure(.timeout(maybeSent: $0)) } }
        nextDeadline = transfers.values.map(\.deadline).min()
    }

    /// Ends a transfer from our side; an unknown id was answered before.
    private mutating func end(
        _ id: UInt64, _ failure: (_ maybeSent: Bool) -> Result<HTTPClientResponse, HTTPClientError>
    ) {
        guard let transfer = transfers[id] else { return }
        let result = failure(transfer.maybeSent)
        guard transfer.handle == nil else { return finish(transfer, with: result) }
        admission.withdraw(id, from: transfer.request.target)
        transfers[id] = nil
        transfer.continuation.resume(returning: result)
    }

    /// Answers an admitted transfer, and starts those that waited for its place.
    private mutating func finish(_ transfer: Transfer, with result: Result<HTTPClientResponse, HTTPClientError>) {
        transfers[transfer.id] = nil
        if let handle = transfer.detach() {
            curl_multi_remove_handle(multi, handle)
            transfer.freeHeaders()
            if idleHandles.count < configuration.connectionsPerHost {
                curl_easy_reset(handle)
                idleHandles.append(handle)
            } else {
                curl_easy_cleanup(handle)
            }
        }
        transfer.continuation.resume(returning: result)
        for id in admission.finish(transfer.request.target) {
            if let waiting = transfers[id] { start(waiting) }
        }
    }

    /// Milliseconds; libcurl shortens it to its own next timer.
    private func pollTimeout(now: ContinuousClock.Instant) -> Int {
        guard let nextDeadline else { return 60_000 }
        return min(now.duration(to: nextDeadline).curlMilliseconds, 60_000)
    }
}
