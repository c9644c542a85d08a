import Foundation
import HTTPServer
import Identity
import Testing
import Tokens

@testable import ChangeFeed

@Suite("The set of revocations")
struct RevocationSetTests {
    let now = Date(timeIntervalSince1970: 1_790_000_000)

    func token(user: UserID = UserID(), issued: Double = 0) -> AccessToken {
        AccessToken(
            userID: user, sessionID: SessionID(), id: .version7(), issuedAt: now + issued, expiresAt: now + issued + 900
        )
    }

    @Test("judges by token, session and mark, and not before it was loaded nor by a feed that is too old")
    func standing() throws {
        let set = RevocationSet()
        let instant = ContinuousClock.now
        let (good, listed, ended, marked) = (token(), token(), token(), token())
        #expect(set.standing(of: good, at: instant) == .unknown)
        set.apply(
            [
                .token(try #require(TokenHash(listed.tokenHash)), expiresAt: listed.expiresAt),
                .session(ended.sessionID, expiresAt: ended.expiresAt),
                .user(marked.userID, notBefore: now),
            ], asOf: nil)
        // A part of the state is no state; but what is known to be revoked is.
        #expect(set.standing(of: good, at: instant) == .unknown)
        #expect(set.standing(of: listed, at: instant) == .revoked)
        set.apply([], asOf: instant)
        for token in [listed, ended, marked] { #expect(set.standing(of: token, at: instant) == .revoked) }
        #expect(set.standing(of: good, at: instant) == .live)
        #expect(set.standing(of: good, at: instant + .seconds(10)) == .live)
        #expect(set.standing(of: good, at: instant + .milliseconds(10_001)) == .unknown)
        #expect(set.standing(of: ended, at: instant + .seconds(60)) == .revoked)
        // The later of all marks counts, in whatever order they come.
        let younger = token(user: marked.userID, issued: 1)
        #expect(set.standing(of: younger, at: instant) == .live)
        set.apply([.user(marked.userID, notBefore: now + 5), .user(marked.userID, notBefore: now - 5)], asOf: instant)
        #expect(set.standing(of: younger, at: instant) == .revoked)
        #expect(set.standing(of: token(user: marked.userID, issued: 6), at: instant) == .live)
    }

    @Test(
        "a mark of the same millisecond revokes, one of the millisecond before does not, whatever their binary fractions"
    )
    func sameMillisecond() throws {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let set = RevocationSet()
        set.apply([], asOf: .now)
        for step in 0..<2000 {
            let token = token(issued: Double(step) * 1.0377)
            let text = Timestamp.text(token.issuedAt)
            #expect(Timestamp.text(try style.parse(text)) == text)
            let mark = try style.parse(text)
            set.apply([.user(token.userID, notBefore: mark - 0.001)], asOf: nil)
            #expect(set.standing(of: token) == .live, "\(text)")
            set.apply([.user(token.userID, notBefore: mark)], asOf: nil)
            #expect(set.standing(of: token) == .revoked, "\(text)")
        }
    }

    @Test("forgets what no live token can need, and nothing sooner")
    func bounded() throws {
        let set = RevocationSet()
        for _ in 0..<1000 {
            let token = token()
            set.apply(
                [
                    .token(try #require(TokenHash(token.tokenHash)), expiresAt: token.expiresAt),
                    .session(token.sessionID, expiresAt: token.expiresAt), .user(token.userID, notBefore: now),
                ], asOf: nil)
        }
        #expect(set.count == 3000)
        set.sweep(at: now + 900 + 30)
        #expect(set.count == 3000)
        set.sweep(at: now + 900 + 61)
        #expect(set.count == 1000)
        set.sweep(at: now + 86_400 + 61)
        #expect(set.count == 0)
    }
}
