import Foundation
import Identity
import Synchronization
import Testing
@testable import Tokens

@Suite("A rotation of keys")
struct RotationTests {
    let now = Forgery.now
    var token: AccessToken {
        AccessToken(userID: UserID(), sessionID: SessionID(), id: .version7(), issuedAt: now, expiresAt: now + 900)
    }
    let before = TokenKeys(current: Forgery.key, previous: nil)
    let during = TokenKeys(current: Forgery.otherKey, previous: Forgery.key)
    let after = TokenKeys(current: Forgery.otherKey, previous: nil)

    @Test("JWT-17: keeps tokens of the previous key alive until it is removed")
    func rotation() async throws {
        let old = try TokenSigner(keys: before).sign(token, now: now)
        let new = try TokenSigner(keys: during).sign(token, now: now)
        _ = try await Forgery.verifier(before).access(old)
        _ = try await Forgery.verifier(during).access(old)
        _ = try await Forgery.verifier(during).access(new)
        _ = try await Forgery.verifier(after).access(new)
        await #expect(throws: TokenError.signature) { try await Forgery.verifier(after).access(old) }
        await #expect(throws: TokenError.signature) { try await Forgery.verifier(before).access(new) }
    }

    @Test("JWT-05: is found by the key id, and without one")
    func keyID() async throws {
        let named = #"{"alg":"HS256","typ":"at+jwt","kid":"\#(before.current.id)"}"#
        _ = try await Forgery.verifier(during).access(Forgery.token(named))
        _ = try await Forgery.verifier(during).access(Forgery.token())
        // The id of one key over the signature of the other is a lie.
        let lie = #"{"alg":"HS256","typ":"at+jwt","kid":"\#(after.current.id)"}"#
        await #expect(throws: TokenError.signature) { try await Forgery.verifier(during).access(Forgery.token(lie)) }
        #expect(before.current.id.utf8.count == 16)
        #expect(before.current.id != after.current.id)
    }
}

@Suite("The memory of verified tokens")
struct VerifiedTokenCacheTests {
    final class Clock: Sendable {
        private let offset = Mutex<Double>(0)
        var now: Date { Forgery.now + offset.withLock { $0 } }
        func advance(_ seconds: Double) { offset.withLock { $0 += seconds } }
    }

    @Test("judges expiry each time")
    func expiry() async throws {
        let clock = Clock()
        let verifier = TokenVerifier(keys: TokenKeys(current: Forgery.key, previous: nil), now: { clock.now })
        let text = Forgery.token()
        let token = try await verifier.access(text)
        #expect(try await verifier.access(text) == token)
        clock.advance(929)
        #expect(try await verifier.access(text) == token)
        clock.advance(1)
        await #expect(throws: TokenError.expired) { try await verifier.access(text) }
    }

    @Test("keeps what is in use and is bounded")
    func bounded() {
        let cache = VerifiedTokenCache<Int>(capacity: 100)
        let favourite = TokenDigest("favourite")
        cache.insert(-1, for: favourite)
        for number in 0..<10_000 {
            cache.insert(number, for: TokenDigest("\(number)"))
            #expect(cache.token(for: favourite) == -1)
            #expect(cache.count <= 100)
        }
        #expect(cache.token(for: TokenDigest("0")) == nil)
        #expect(cache.token(for: TokenDigest("9999")) == 9999)
        let none = VerifiedTokenCache<Int>(capacity: 0)
        none.insert(1, for: favourite)
        #expect(none.token(for: favourite) == nil)
    }

    @Test("remembers no failure, and nothing of one kind for another")
    func failures() async throws {
        let verifier = Forgery.verifier()
        let text = Forgery.token()
        _ = try await verifier.access(text)
        await #expect(throws: TokenError.wrongType) { try await verifier.admin(text) }
        for _ in 0..<2 {
            await #expect(throws: TokenError.signature) {
                try await verifier.access(Forgery.token(key: Forgery.otherKey.bytes))
            }
        }
        #expect(try await verifier.access(text).userID.description == Forgery.user)
    }

    @Test("serves many tasks at once")
    func parallel() async throws {
        let verifier = Forgery.verifier()
        let texts = (0..<50).map { Forgery.token(Forgery.header, Forgery.payload(["iat": "17900000\($0 % 20 + 10)"])) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<500 { group.addTask { _ = try await verifier.access(texts[index % 50]) } }
            try await group.waitForAll()
        }
    }
}
