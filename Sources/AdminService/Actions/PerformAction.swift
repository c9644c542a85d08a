import HTTPServer
import Identity
import Logging

/// Does what an operator asks of another service: writes the intent down, asks, confirms.
///
/// An answer other than `.done` leaves nothing half done that nobody minds: an intent without an answer is finished by
/// ``FinishIntents``.
struct PerformAction: Sendable {
    let intents: IntentStore
    let services: ActionServices
    let changes: AnnounceChange

    enum Outcome: Sendable, Equatable {
        /// It is done, now or by the same request before.
        case done
        case notFound
        /// The user is deleted.
        case deleted
        /// Another act on the same target is not finished: it is being carried out at this moment, or this service gives no
        /// answer about it.
        case busy(waitingFor: ServiceName?)
        /// The key belongs to another request.
        case keyReused
        /// The service refuses, with this code.
        case refused(code: String)
        /// No answer. If the intent was written, the act is finished later without being asked again.
        case away(ServiceName, isWritten: Bool)
    }

    /// Throws `PostgresError`, `NotRecorded` with nothing done, `Unconfirmed`.
    func callAsFunction(
        _ action: RemoteAction, on target: ActionTarget, reason: Reason?, key: ClientKey? = nil, by admin: AdminID,
        origin: AuditOrigin, trace: RequestTrace?
    ) async throws -> Outcome {
        var intent = Intent(
            id: IntentID(), admin: admin, action: action, target: target, reason: reason, before: nil,
            origin: origin, clientKey: key)
        // A repeat is told what came of the first, also when the service is away or the user deleted by now.
        if let known = try await intents.known(intent) { return try await again(known, for: intent, trace: trace) }
        switch await services.standing(of: target, trace: trace) {
        case .present(let status): intent.before = status
        case .notFound: return .notFound
        case .deleted: return .deleted
        case .away(let service): return .away(service, isWritten: false)
        }
        for _ in 0..<2 {
            switch try await intents.begin(intent) {
            case .begun: return try await run(intent, trace: trace)
            case .known(let known): return try await again(known, for: intent, trace: trace)
            case .busy(let other):
                // First things first: what was asked before is finished before.
                if case .away(let service, _) = try await run(other, trace: trace) { return .busy(waitingFor: service) }
            }
        }
        return .busy(waitingFor: nil)
    }

    private func again(_ known: Intent, for intent: Intent, trace: RequestTrace?) async throws -> Outcome {
        guard known.isSame(as: intent) else { return .keyReused }
        return known.state == .pending
            ? try await run(known, trace: trace) : outcome(of: known, known.state, failure: known.failure)
    }

    /// Asks the service and confirms. Throws `PostgresError`, `NotRecorded`; `Unconfirmed` once it was carried out.
    func run(_ intent: Intent, trace: RequestTrace?) async throws -> Outcome {
        let deed = await services.carryOut(intent, trace: trace)
        let state: Intent.State
        do {
            switch deed {
            case .done:
                state = try await intents.finish(intent, as: .done)
            case .refused(let code):
                state = try await intents.finish(intent, as: .failed, failure: code)
            case .noAnswer:
                // It may have happened: what was shown may be wrong already.
                await changes(unwritten: intent.target.topic)
                return .away(services.service(for: intent.action), isWritten: true)
            }
        } catch {
            // It has happened, and is confirmed later.
            await changes(unwritten: intent.target.topic)
            guard deed == .done else { throw error }
            throw Unconfirmed(service: services.service(for: intent.action), cause: error)
        }
        await changes(intent.target.topic)
        guard case .refused(let code) = deed else { return outcome(of: intent, state, failure: nil) }
        return outcome(of: intent, state, failure: code)
    }

    private func outcome(of intent: Intent, _ state: Intent.State, failure: String?) -> Outcome {
        switch (state, failure) {
        case (.done, _): .done
        case (_, "not-found"?): .notFound
        case (_, "user-deleted"?): .deleted
        case (.failed, let code): .refused(code: code ?? "refused")
        case (.pending, _), (.unknown, _): .away(services.service(for: intent.action), isWritten: true)
        }
    }
}

/// The service has carried an act out, and its audit row could not be written; ``FinishIntents`` adds it.
struct Unconfirmed: Error, CustomStringConvertible {
    let service: ServiceName
    let cause: any Error

    var description: String { "carried out by \(service.rawValue) and not confirmed: \(cause)" }
}
