import ArgumentParser
import Crypto
import Foundation
import Synchronization

/// Signs people in, over and over: send, verify, login, profile, logout, each for another phone from another network.
///
/// The code is computed as docs/architecture.md says, with the service's own key, so that no inbox has to be asked.
struct SignInLoad: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "sign-in")

    @Option(help: "Port of otp-service.") var otpPort: Int
    @Option(help: "Port of user-service.") var userPort: Int
    @Option(help: "People at a time.") var clients = 32
    @Option(help: "Seconds to measure.") var seconds = 5.0

    func run() throws {
        guard let secret = ProcessInfo.processInfo.environment["OTP_SECRET_KEY"] else {
            throw ValidationError("OTP_SECRET_KEY must be the service's")
        }
        let key = SymmetricKey(data: Array(secret.utf8))
        let counts = Counts()
        let start = ContinuousClock.now
        let end = start.advanced(by: .seconds(seconds))
        let group = DispatchGroup()
        for _ in 0..<clients {
            group.enter()
            Thread.detachNewThread {
                let person = Person(otp: PlainHTTP(port: otpPort), user: PlainHTTP(port: userPort), key: key)
                while ContinuousClock.now < end { counts.add((try? person.signIn()) ?? false) }
                group.leave()
            }
        }
        group.wait()
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        let (done, failed) = counts.values
        print(String(format: "per_second %.1f\nfailed %d of %d", Double(done) / elapsed, failed, done + failed))
    }
}

private final class Counts: Sendable {
    private let state = Mutex((done: 0, failed: 0))

    func add(_ succeeded: Bool) { state.withLock { if succeeded { $0.done += 1 } else { $0.failed += 1 } } }
    var values: (done: Int, failed: Int) { state.withLock { $0 } }
}

private struct Person {
    let otp: PlainHTTP
    let user: PlainHTTP
    let key: SymmetricKey

    /// True if each of the five answers was the right one.
    func signIn() throws -> Bool {
        let phone = "+91\(Int.random(in: 96...99))\(Int.random(in: 10_000_000...99_999_999))"
        let from =
            "X-Forwarded-For: 10.\(Int.random(in: 0...255)).\(Int.random(in: 0...255)).\(Int.random(in: 1...254))\r\n"
        let (sent, challenge) = try otp.send("POST", "/v1/otp/send", from, body: #"{"phone":"\#(phone)"}"#)
        guard sent == 202, let id = challenge.member("challenge_id") else { return false }
        let answer = #"{"challenge_id":"\#(id)","code":"\#(code(id, phone))"}"#
        let (verified, proof) = try otp.send("POST", "/v1/otp/verify", from, body: answer)
        guard verified == 200, let token = proof.member("verification_token") else { return false }
        let (signedIn, session) = try user.send(
            "POST", "/v1/auth/login", from, body: #"{"verification_token":"\#(token)"}"#)
        guard signedIn == 200 || signedIn == 201, let access = session.member("access_token") else { return false }
        let bearer = from + "Authorization: Bearer \(access)\r\n"
        guard try user.send("GET", "/v1/users/me", bearer).0 == 200 else { return false }
        return try user.send("POST", "/v1/auth/logout", bearer + "Content-Length: 0\r\n").0 == 204
    }

    /// HOTP(HMAC(key, challenge id ‖ phone ‖ purpose), 0), six digits (RFC 4226 §5.3, with SHA-256).
    private func code(_ challenge: String, _ phone: String) -> String {
        let inner = HMAC<SHA256>.authenticationCode(for: Array((challenge + phone + "sign_in").utf8), using: key)
        let mac = Array(
            HMAC<SHA256>.authenticationCode(for: [UInt8](repeating: 0, count: 8), using: SymmetricKey(data: inner)))
        let offset = Int((mac.last ?? 0) & 15)
        let word = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        return String(format: "%06d", word % 1_000_000)
    }
}
