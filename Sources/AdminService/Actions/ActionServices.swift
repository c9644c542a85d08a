import HTTPServer
import Identity

/// The other services, as far as they carry out what operators do.
struct ActionServices: Sendable {
    let userService: UpstreamService
    let otpService: UpstreamService

    /// How a target stands before it is acted on.
    enum Standing: Sendable, Equatable {
        /// It can be acted on; in a word how it stands, if there is one.
        case present(String?)
        case notFound
        case deleted
        case away(ServiceName)
    }

    /// Asks how a target stands. That nobody says so keeps nobody from blocking or pausing.
    func standing(of target: ActionTarget, trace: RequestTrace?) async -> Standing {
        switch target {
        case .user(let id): return await standing(of: id, trace)
        case .destination(let prefix):
            let board = try? await otpService.get(
                "/internal/destinations", query: [("limit", "1000")], as: DestinationBoard.self, trace: trace)
            return .present(board?.decision(about: prefix) ?? (board == nil ? nil : "automatic"))
        case .sending:
            let budget = try? await otpService.get("/internal/budget", as: Budget.self, trace: trace)
            return .present(budget.map { $0.paused ? "paused" : "running" })
        case .phone: return .present(nil)
        }
    }

    private func standing(of id: UserID, _ trace: RequestTrace?) async -> Standing {
        do {
            let user = try await user(id, trace: trace)
            return user.entry.status == "deleted" ? .deleted : .present(user.entry.status)
        } catch {
            return error == .notFound(.user) ? .notFound : .away(.user)
        }
    }

    /// The user as user-service says now. Throws `UpstreamError`.
    func user(_ id: UserID, trace: RequestTrace?) async throws(UpstreamError) -> DirectoryUser {
        try await userService.get("/internal/users/\(id)", as: DirectoryUser.self, trace: trace)
    }

    /// Has it done, once however often it is asked with the same intent.
    func carryOut(_ intent: Intent, trace: RequestTrace?) async -> UpstreamDeed {
        switch (intent.action, intent.target) {
        case (.suspend, .user(let id)), (.reactivate, .user(let id)), (.signOut, .user(let id)):
            return await userService.post(
                "/internal/users/\(id)/\(intent.action.rawValue)", key: intent.id.description, trace: trace)
        case (.unlock, .user(let id)): return await unlock(id, intent, trace)
        case (.unlock, .phone(let phone)): return await unlock(phone, intent, trace)
        case (.allow, .destination(let prefix)), (.block, .destination(let prefix)), (.reset, .destination(let prefix)):
            return await otpService.post(
                "/internal/destinations/\(UpstreamService.encode(prefix.text))/\(intent.action.rawValue)",
                key: intent.id.description, reason: intent.reason, trace: trace)
        case (.pause, .sending), (.resume, .sending):
            return await otpService.post(
                "/internal/budget/\(intent.action.rawValue)", key: intent.id.description, reason: intent.reason,
                trace: trace)
        case (_, .user), (_, .destination), (_, .sending), (_, .phone): return .refused(code: "not-found")
        }
    }

    /// The service that an action needs.
    func service(for action: RemoteAction) -> ServiceName {
        switch action {
        case .suspend, .reactivate, .signOut: .user
        case .unlock, .allow, .block, .reset, .pause, .resume: .otp
        }
    }

    private func unlock(_ id: UserID, _ intent: Intent, _ trace: RequestTrace?) async -> UpstreamDeed {
        do throws(UpstreamError) {
            guard let phone = try await user(id, trace: trace).entry.phone else {
                return .refused(code: "user-deleted")
            }
            return await unlock(phone, intent, trace)
        } catch {
            return error == .notFound(.user) ? .refused(code: "not-found") : .noAnswer
        }
    }

    private func unlock(_ phone: PhoneNumber, _ intent: Intent, _ trace: RequestTrace?) async -> UpstreamDeed {
        let deed = await otpService.post(
            "/internal/phones/\(UpstreamService.encode(phone.e164))/unlock", key: intent.id.description, trace: trace)
        // A phone of which otp-service knows nothing is not locked.
        return deed == .refused(code: "not-found") ? .done : deed
    }
}
