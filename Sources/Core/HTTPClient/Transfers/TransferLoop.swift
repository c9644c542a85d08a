internal import CLibCurl
internal import Foundation
internal import Synchronization

/// libcurl's multi interface on a thread of its own: the only place where transfers are touched.
///
/// Tasks post commands to the ``TransferInbox``; the thread adopts them, lets libcurl work, and resumes the tasks.
final class TransferLoop: Sendable {
    private let configuration: HTTPClientConfiguration
    private let inbox: TransferInbox
    private let lastID = Atomic<UInt64>(0)

    /// libcurl's global state, set up once for the process and never torn down.
    private static let isLibraryReady = postkey_curl_global_init() == CURLE_OK

    init(configuration: HTTPClientConfiguration) {
        _ = Self.isLibraryReady
        self.configuration = configuration
        inbox = TransferInbox()
    }

    func start() {
        guard let multi = inbox.multi else { return }
        let thread = Thread { [inbox, configuration] in
            Self.blockSignals()
            var worker = TransferWorker(multi: multi.pointer, configuration: configuration)
            worker.work(inbox)
        }
        thread.name = "http-client"
        thread.stackSize = 512 << 10
        thread.start()
    }

    func ticket() -> Ticket {
        Ticket(id: lastID.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    func submit(_ submission: Submission) {
        if !inbox.post(.start(submission)) {
            submission.continuation.resume(returning: .failure(.stopped(maybeSent: false)))
        }
    }

    func cancel(_ ticket: Ticket) {
        ticket.isCancelled.store(true, ordering: .sequentiallyConsistent)
        inbox.post(.cancel(ticket.id))
    }

    /// Takes no new transfers and lets the running ones finish.
    func drain() {
        inbox.post(.drain)
    }

    /// Ends every transfer at once.
    func abort() {
        inbox.post(.abort)
    }

    func finished() async {
        await inbox.finished()
    }

    /// The service's signal handlers run elsewhere, and a peer's reset must not raise SIGPIPE here: with
    /// CURLOPT_NOSIGNAL libcurl leaves that signal to the program. Resolver threads inherit the mask.
    private static func blockSignals() {
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
    }
}
