import Foundation
import Identity
import Testing
@testable import Tokens

@Suite("Each kind of token")
struct TokenKindsTests {
    let keys = TokenKeys(current: Forgery.key, previous: nil)
    let now = Forgery.now
    var verifier: TokenVerifier { Forgery.verifier() }
    var access: AccessToken {
        AccessToken(
            userID: UserID(), sessionID: SessionID(), id: .version7(), issuedAt: now + 0.0005, expiresAt: now + 900)
    }
    var admin: AdminToken {
        AdminToken(adminID: AdminID(), sessionID: SessionID(), id: .version7(), issuedAt: now, expiresAt: now + 1800)
    }

    func proof(_ purpose: Purpose) throws -> VerificationToken {
        VerificationToken(
            subject: try #require(PhoneNumber(e164: "+919876543210")), purpose: purpose, challengeID: ChallengeID(),
            expiresAt: now + 300)
    }

    @Test("comes back as it was signed")
    func roundTrip() async throws {
        let signer = TokenSigner(keys: keys)
        let (access, admin) = (access, admin)
        #expect(try await verifier.access(signer.sign(access, now: now)) == access)
        #expect(try await verifier.admin(signer.sign(admin, now: now)) == admin)
        for purpose in Purpose.allCases {
            let proof = try proof(purpose)
            #expect(try await verifier.verification(signer.sign(proof, now: now), audience: purpose.audience) == proof)
        }
        let service = ServiceToken(service: .admin, audience: .user, expiresAt: now + 60)
        let callers: Set<ServiceName> = [.otp, .admin]
        let text = try signer.sign(service, now: now)
        #expect(try await verifier.service(text, audience: .user, callers: callers) == service)
    }

    @Test("JWT-11: is refused in the place of every other kind")
    func confusion() async throws {
        let signer = TokenSigner(keys: keys)
        let texts = [
            try signer.sign(access, now: now), try signer.sign(admin, now: now),
            try signer.sign(try proof(.signIn), now: now),
            try signer.sign(ServiceToken(service: .otp, audience: .user, expiresAt: now + 60), now: now),
        ]
        for (index, text) in texts.enumerated() {
            if index != 0 { await #expect(throws: TokenError.wrongType) { try await verifier.access(text) } }
            if index != 1 { await #expect(throws: TokenError.wrongType) { try await verifier.admin(text) } }
            if index != 2 {
                await #expect(throws: TokenError.wrongType) { try await verifier.verification(text, audience: .user) }
            }
            if index != 3 {
                await #expect(throws: TokenError.wrongType) {
                    try await verifier.service(text, audience: .user, callers: [.otp])
                }
            }
        }
    }

    @Test("JWT-10: reaches its audience only")
    func audience() async throws {
        let signer = TokenSigner(keys: keys)
        let service = try signer.sign(ServiceToken(service: .otp, audience: .user, expiresAt: now + 60), now: now)
        await #expect(throws: TokenError.wrongAudience) {
            try await verifier.service(service, audience: .admin, callers: [.otp])
        }
        let proof = try signer.sign(try proof(.adminSignIn), now: now)
        await #expect(throws: TokenError.wrongAudience) { try await verifier.verification(proof, audience: .user) }
    }

    @Test("of a service is taken from those who have business there")
    func callers() async throws {
        let signer = TokenSigner(keys: keys)
        for caller in ServiceName.allCases {
            let text = try signer.sign(ServiceToken(service: caller, audience: .otp, expiresAt: now + 60), now: now)
            for callers in [Set<ServiceName>(), [.admin], [.admin, .user]] {
                if callers.contains(caller) {
                    #expect(try await verifier.service(text, audience: .otp, callers: callers).service == caller)
                } else {
                    await #expect(throws: TokenError.wrongIssuer) {
                        try await verifier.service(text, audience: .otp, callers: callers)
                    }
                }
            }
        }
    }

    @Test("of a service lives a minute, and says since when")
    func serviceLifetime() async throws {
        let verifier = verifier
        func text(_ life: Double, from offset: Double = 0) throws -> String {
            try TokenSigner(keys: keys).sign(
                ServiceToken(service: .admin, audience: .otp, expiresAt: now + offset + life), now: now + offset)
        }
        for (life, offset) in [(1.0, 0.0), (60, 0), (60, -59), (60, 29)] {
            let text = try text(life, from: offset)
            #expect(try await verifier.service(text, audience: .otp, callers: [.admin]).service == .admin)
        }
        for (life, offset) in [(61.0, 0.0), (90, -40), (3600, 0), (86_400, 0), (86_400, -86_390)] {
            let text = try text(life, from: offset)
            await #expect(throws: TokenError.lifetime, "\(life) \(offset)") {
                try await verifier.service(text, audience: .otp, callers: [.admin])
            }
        }
        let header = #"{"alg":"HS256","typ":"svc+jwt"}"#
        let names: [String: String?] = [
            "iss": #""admin-service""#, "sub": #""admin-service""#, "aud": #""otp-service""#, "jti": nil, "sid": nil,
            "exp": "1790000060",
        ]
        func forged(_ changes: [String: String?]) -> String {
            Forgery.token(header, Forgery.payload(names.merging(changes) { $1 }))
        }
        #expect(try await verifier.service(forged([:]), audience: .otp, callers: [.admin]).service == .admin)
        for iat in [nil, "null", #""1790000000""#, "1e309"] as [String?] {
            await #expect(throws: TokenError.malformed, "\(iat ?? "none")") {
                try await verifier.service(forged(["iat": iat]), audience: .otp, callers: [.admin])
            }
        }
        // A day's life that was begun a day ago, by its word.
        await #expect(throws: TokenError.lifetime) {
            try await verifier.service(forged(["iat": "1789913600"]), audience: .otp, callers: [.admin])
        }
    }

    @Test("has the times it was given, whole to its precision")
    func times() {
        let token = AccessToken(
            userID: UserID(), sessionID: SessionID(), id: .version7(),
            issuedAt: Date(timeIntervalSince1970: 1_790_000_000.1239),
            expiresAt: Date(timeIntervalSince1970: 1_790_000_900.9))
        #expect(abs(token.issuedAt.timeIntervalSince1970 - 1_790_000_000.123) < 1e-6)
        #expect(token.expiresAt.timeIntervalSince1970 == 1_790_000_900)
        for millisecond in 0..<1000 {
            let time = Date(timeIntervalSince1970: 1_790_000_000 + Double(millisecond) / 1000)
            #expect(time.wholeMilliseconds.wholeMilliseconds == time.wholeMilliseconds)
            #expect(abs(time.wholeMilliseconds.timeIntervalSince(time)) < 1e-6)
        }
    }

    @Test("is blacklisted by a hash that never changes")
    func golden() async throws {
        let token = try await verifier.access(Forgery.token())
        let hexadecimal = token.tokenHash.map { String(format: "%02x", $0) }.joined()
        // printf 'user-service\0<jti>' | sha256sum
        #expect(hexadecimal == "96445beb02322a141345821dde9af5fe994052ca1c9032d9725c6c86d5eb5221")
    }

    @Test("keeps the hash when its issuer writes the id in capitals")
    func capitals() async throws {
        let text = Forgery.token(Forgery.header, Forgery.payload(["jti": #""\#(Forgery.id.uppercased())""#]))
        #expect(try await verifier.access(text).tokenHash == verifier.access(Forgery.token()).tokenHash)
    }
}
