import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

/// The rules of sign-in and sessions and their SQL, driven by the same random events.
@Suite("The rule of sessions")
struct SessionRuleTests {
    /// Chosen so that no sum of the steps of time comes near a limit: the database's clock goes on while the test runs.
    static let limits = SessionLimits(
        accessLifetime: 900, idleLifetime: 100, absoluteLifetime: 201, refreshGrace: 9, signInRepeat: 57)
    static let steps = [6, 12, 30, 96]
    static let proofCount = 4

    /// What the rules say about one phone.
    struct Model {
        struct Proof {
            let token: VerificationToken
            let expiresAt: Date
            var session: Session?
            /// The refresh tokens given out, by generation.
            var tokens: [RefreshToken] = []
        }

        var now = Date(timeIntervalSince1970: 1_790_000_000)
        var status: UserStatus?
        var mark: Date?
        var proofs: [Proof]
    }

    /// The SQL that is compared with the rules.
    struct Stores {
        let database: TestDatabase
        let refreshTokens = RefreshTokens(UserServer.keys)
        var signIn: SignInStore { SignInStore(postgres: database.client, limits: limits) }
        var sessions: SessionStore { SessionStore(postgres: database.client, limits: limits) }
    }

    @Test("is the same in Swift and in SQL", arguments: 0..<12)
    func randomEvents(_ round: Int) async throws {
        try await withUserDatabase { database in
            let stores = Stores(database: database)
            var model = try Model(proofs: Self.proofs(now: Date(timeIntervalSince1970: 1_790_000_000)))
            var history: [String] = []
            let began = ContinuousClock.now
            for _ in 0..<60 {
                // The test takes time of its own, which the rules do not see: on a busy machine it stops before that
                // matters.
                guard ContinuousClock.now - began < .milliseconds(1500) else { break }
                // No two events are at the same moment, as in the database.
                model.now += 0.001
                let proof = Int.random(in: 0..<Self.proofCount)
                switch Int.random(in: 0..<12) {
                case 0...2: try await Self.signIn(proof, &model, stores, &history)
                case 3...7: try await Self.refresh(proof, &model, stores, &history)
                case 8: try await Self.logOut(proof, &model, stores, &history)
                case 9: try await Self.changeStatus(&model, stores, &history)
                default: try await Self.advance(&model, stores, &history)
                }
                try await Self.compare(model, stores, history)
            }
        }
    }

    static func proofs(now: Date) throws -> [Model.Proof] {
        let phone = try #require(PhoneNumber(e164: UserServer.phone))
        return (0..<proofCount).map { index in
            let expiresAt = now + [303, 303, 105, 45][index]
            let token = VerificationToken(
                subject: phone, purpose: .signIn, challengeID: ChallengeID(), expiresAt: expiresAt)
            return Model.Proof(token: token, expiresAt: expiresAt)
        }
    }

    static func signIn(_ index: Int, _ model: inout Model, _ stores: Stores, _ history: inout [String]) async throws {
        let proof = model.proofs[index]
        let expected = SignIn.decide(
            proof.session.map(SignIn.Proof.used) ?? .unused, expiresAt: proof.expiresAt, at: model.now,
            user: model.status, signInNotBefore: model.mark, limits: limits)
        let session = SessionID()
        let refreshToken = try #require(stores.refreshTokens.token(of: session, generation: 0))
        // The remaining life is the same in both times.
        let token = VerificationToken(
            subject: proof.token.subject, purpose: .signIn, challengeID: proof.token.challengeID,
            expiresAt: Date() + proof.expiresAt.timeIntervalSince(model.now))
        let (outcome, grant, isNewUser) = try await stores.signIn.signIn(
            SignInRequest(
                token: token, deviceName: nil, address: testAddress, newUserID: UserID(), newSessionID: session,
                refreshToken: refreshToken,
                accessTokenID: .version7()))
        history.append("sign in \(index): \(expected)")
        #expect(outcome == expected, "\(history)")
        switch expected {
        case .opened:
            #expect(isNewUser == (model.status == nil), "\(history)")
            model.status = .active
            model.proofs[index].session = Session(at: model.now, limits: limits)
            model.proofs[index].tokens = [refreshToken]
            #expect(grant?.sessionID == session)
        case .repeated: #expect(grant?.refreshHash == proof.tokens.first?.hash, "\(history)")
        case .alreadyUsed, .suspended, .unconfirmed, .expired: #expect(grant == nil)
        }
    }

    static func refresh(_ index: Int, _ model: inout Model, _ stores: Stores, _ history: inout [String]) async throws {
        guard var session = model.proofs[index].session, let status = model.status else { return }
        // Mostly the newest tokens, sometimes any.
        let newest = model.proofs[index].tokens.count - 1
        let presented = Bool.random() ? newest : max(0, newest - Int.random(in: 0...2))
        let token = model.proofs[index].tokens[presented]
        let successor = try #require(
            stores.refreshTokens.token(of: token.sessionID, generation: token.generation + 1))
        let expected = session.refresh(
            presenting: presented, at: model.now, user: status, signInNotBefore: model.mark, limits: limits)
        let (outcome, grant) = try await stores.sessions.refresh(
            token, successor: successor, accessTokenID: .version7(), from: testAddress)
        history.append("refresh \(index) with \(presented): \(expected)")
        #expect(outcome == expected, "\(history)")
        model.proofs[index].session = session
        if expected == .rotated { model.proofs[index].tokens.append(successor) }
        if expected == .rotated || expected == .repeated { #expect(grant?.refreshHash == successor.hash, "\(history)") }
    }

    static func logOut(_ index: Int, _ model: inout Model, _ stores: Stores, _ history: inout [String]) async throws {
        guard let session = model.proofs[index].session, let token = model.proofs[index].tokens.first else { return }
        let everywhere = Int.random(in: 0..<3) == 0
        history.append("log out \(index) everywhere: \(everywhere)")
        let rows = try await stores.database.client.read(
            "select user_id, access_token_id, rotated_at, access_expires_at from sessions where id = \(token.sessionID.uuid)"
        )
        let (user, id, issuedAt, expiresAt) = try #require(rows.first).decode((UUID, UUID, Date, Date).self)
        let access = AccessToken(
            userID: UserID(uuid: user), sessionID: token.sessionID, id: id, issuedAt: issuedAt, expiresAt: expiresAt)
        let store = RevocationStore(postgres: stores.database.client)
        if everywhere {
            // An access token is good for fifteen minutes of its own, also when its session has been idle since.
            let state = session.state(at: model.now, signInNotBefore: model.mark)
            let isGood = model.status == .active && (state == .live || state == .idle)
            #expect(try await store.endAllSessions(of: access) == isGood, "\(history)")
            guard isGood else { return }
            model.mark = model.now
            for proof in model.proofs.indices where model.proofs[proof].session?.end == nil {
                model.proofs[proof].session?.end = .logoutEverywhere
            }
        } else {
            try await store.endSession(of: access, reason: .logout)
            if session.end == nil { model.proofs[index].session?.end = .logout }
        }
    }

    static func changeStatus(_ model: inout Model, _ stores: Stores, _ history: inout [String]) async throws {
        guard let status = model.status else { return }
        let next: UserStatus = status == .active ? .suspended : .active
        history.append("user is \(next)")
        model.status = next
        try await stores.database.execute("update users set status = '\(next.rawValue)'")
    }

    static func advance(_ model: inout Model, _ stores: Stores, _ history: inout [String]) async throws {
        let seconds = try #require(steps.randomElement())
        history.append("\(seconds) s pass")
        model.now += Double(seconds)
        try await UserServer.advance(stores.database, Double(seconds))
    }

    /// The rows are what the rules say they are.
    static func compare(_ model: Model, _ stores: Stores, _ history: [String]) async throws {
        let rows = try await stores.database.client.read("select challenge_id, generation, end_reason from sessions")
        try #require(rows.count == model.proofs.count { $0.session != nil }, "\(history)")
        for row in rows {
            let (challenge, generation, reason) = try row.decode((UUID, Int, String?).self)
            let proof = model.proofs.first { $0.token.challengeID.uuid == challenge }
            try #require(proof?.session?.generation == generation, "\(history)")
            try #require(proof?.session?.end?.rawValue == reason, "\(history)")
        }
    }

    @Test("has a state for every moment")
    func states() {
        let start = Date(timeIntervalSince1970: 1_790_000_000)
        var session = Session(at: start, limits: Self.limits)
        #expect(session.state(at: start, signInNotBefore: nil) == .live)
        #expect(session.state(at: start, signInNotBefore: start) == .void)
        #expect(session.state(at: start + 100, signInNotBefore: nil) == .idle)
        #expect(session.state(at: start + 201, signInNotBefore: nil) == .expired)
        session.end = .logout
        #expect(session.state(at: start, signInNotBefore: nil) == .ended(.logout))
    }
}
