package import Foundation
import Logging
import ServiceLifecycle

/// What the gateway said to a question that sends nothing.
package enum GatewayProbe: Sendable, Hashable {
    /// It answered, and found no fault with what was asked about.
    case passed
    case refused(GatewayRefusal)
    /// No answer, or one that says nothing.
    case unanswered(reason: String)
}

/// What the last test of key and template found.
package struct SelfTestReport: Sendable, Hashable, Encodable {
    package enum Finding: String, Sendable, Encodable, CaseIterable {
        case passed
        case refused
        case unanswered
    }

    /// Of `MSG91_AUTH_KEY`, and of this server's address.
    package let key: Finding
    /// Of `MSG91_TEMPLATE_ID`.
    package let template: Finding
    package let at: Date
    /// The first fault found.
    let refusal: GatewayRefusal?
    /// Why there was no answer.
    let silence: String?

    /// What two questions found.
    package init(key: GatewayProbe, template: GatewayProbe, at: Date) {
        self.key = Finding(key)
        self.template = Finding(template)
        self.at = at
        refusal = [key, template].lazy.compactMap { if case .refused(let refusal) = $0 { refusal } else { nil } }.first
        silence =
            [key, template].lazy.compactMap { if case .unanswered(let reason) = $0 { reason } else { nil } }.first
    }

    /// Whether it found a fault, or that there is none.
    package var isConclusive: Bool { refusal != nil || (key == .passed && template == .passed) }

    enum CodingKeys: String, CodingKey { case key, template, at }
}

extension SelfTestReport.Finding {
    fileprivate init(_ probe: GatewayProbe) {
        self =
            switch probe {
            case .passed: .passed
            case .refused: .refused
            case .unanswered: .unanswered
            }
    }
}

/// Use case: ask whether key and template are good, without sending anything.
package struct SelfTest: Sendable {
    let gateway: MSG91

    /// Asks this gateway.
    package init(gateway: MSG91) {
        self.gateway = gateway
    }

    /// Takes at most twice the gateway's timeout.
    package func callAsFunction() async -> SelfTestReport {
        let key = await gateway.probeKey()
        let template = await gateway.probeTemplate()
        return SelfTestReport(key: key, template: template, at: .now)
    }
}

/// Tests key and template after the start, in the background: a few times until there is an answer, and every minute while
/// the gateway refuses all or does not answer, because that may be put right without a restart, and without a message.
package struct SelfTestWorker: Service {
    let test: SelfTest
    let watch: GatewayWatch
    let logger: Logger
    /// Waits after the first tests without an answer.
    var pauses: [Duration] = [.seconds(2), .seconds(10), .seconds(30), .seconds(60)]
    var interval: Duration = .seconds(60)

    /// Works until it is told to stop.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await testUntilAnswered()
            while (try? await Task.sleep(for: interval)) != nil {
                if !watch.isWell || watch.selfTest?.isConclusive != true { watch.note(await test()) }
            }
        }
    }

    private func testUntilAnswered() async {
        for pause in pauses.map(Optional.some) + [nil] {
            let report = await test()
            if Task.isCancelled { return }
            watch.note(report)
            if let refusal = report.refusal {
                return logger.error(
                    "self-test of the gateway failed",
                    metadata: ["reason": "\(refusal)", "action": "\(refusal.advice)"])
            }
            if report.isConclusive { return logger.notice("self-test of the gateway: key and template are accepted") }
            guard let pause else { break }
            if (try? await Task.sleep(for: pause)) == nil { return }
        }
        logger.warning(
            "self-test of the gateway got no answer", metadata: ["reason": "\(watch.selfTest?.silence ?? "none")"])
    }
}
