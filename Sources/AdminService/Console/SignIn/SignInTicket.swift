import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How far a sign-in has come. The browser carries it, sealed; the server keeps nothing of it.
struct SignInTicket: Sendable, Codable {
    /// What the forms of this sign-in belong to.
    let nonce: String
    /// Unix time after which the ticket is worth nothing; what is in it expires by itself before that.
    let expiresAt: Int
    /// The challenge whose code was sent.
    var challenge: String?
    /// The phone with its middle hidden, as the page names it.
    var phone: String?
    /// What the code earned, from when it was right until the second factor is too.
    var proof: String?

    /// Seconds: the five minutes of a challenge and the five of its proof.
    static let lifetime = 600

    /// A sign-in that begins now.
    init(now: Date = Date()) {
        nonce = (0..<16).map { _ in UInt8.random(in: .min ... .max) }.hexadecimal
        expiresAt = Int(now.timeIntervalSince1970) + Self.lifetime
    }

    /// The same sign-in with a code under way.
    func sent(_ challenge: ChallengeID, to phone: String) -> SignInTicket {
        var ticket = SignInTicket()
        ticket.challenge = challenge.description
        ticket.phone = phone
        return ticket
    }

    /// The same sign-in with its phone proven.
    func proven(_ proof: String) -> SignInTicket {
        var ticket = self
        ticket.proof = proof
        return ticket
    }

    var formOwner: FormTokens.Owner { .signIn(nonce: nonce) }
}

/// Reads and writes tickets.
struct SignInTickets: Sendable {
    let cookies: ConsoleCookies
    let sealer: Sealer

    /// The ticket that the browser brings; nil if there is none that is still good.
    func ticket(of request: Request, now: Date = Date()) -> SignInTicket? {
        guard let text = cookies.value(.signIn, of: request),
            let ticket = sealer.open(text, as: SignInTicket.self), ticket.expiresAt > Int(now.timeIntervalSince1970)
        else { return nil }
        return ticket
    }

    /// The cookie that carries it.
    func cookie(_ ticket: SignInTicket, for request: Request) throws -> HTTPField {
        cookies.set(.signIn, try sealer.seal(ticket), maximumAge: SignInTicket.lifetime, for: request)
    }
}
