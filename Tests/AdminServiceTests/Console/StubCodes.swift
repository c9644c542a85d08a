import Foundation
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Synchronization
import Tokens

@testable import AdminService

/// Stands for the public side of otp-service: every phone gets a code, and the right one is always 123456.
final class StubCodes: Sendable {
    static let code = "123456"
    /// Phones that get no code, with the problem.
    static let refused = [
        "+919876500091": "sms-budget-exhausted", "+919876500092": "destination-throttled",
        "+919876500093": "send-limit-reached", "+919876500094": "resend-too-soon",
        "+919876500095": "destination-not-allowed",
    ]
    /// Phones whose code is not sent again, with the problem; that of all others comes too soon.
    static let refusedAgain = [
        "+919876500191": "sms-budget-exhausted", "+919876500192": "destination-throttled",
        "+919876500193": "resends-exhausted", "+919876500194": "challenge-not-active",
    ]
    private let phones = Mutex<[String: PhoneNumber]>([:])
    private let mode: @Sendable () -> StubService.Mode

    init(mode: @escaping @Sendable () -> StubService.Mode) { self.mode = mode }

    func add(to router: PostkeyRouter) {
        router.post("/v1/otp/send") { request, _ in
            let fields = try await self.fields(request)
            guard let phone = PhoneNumber(e164: fields["phone"] ?? "") else {
                return Self.problem(422, "invalid-phone-number")
            }
            if let problem = Self.refused[phone.e164] { return Self.problem(429, problem, retryAfter: 3600) }
            let challenge = ChallengeID()
            self.phones.withLock { $0[challenge.description] = phone }
            return Response.json(.accepted, text: #"{"challenge_id":"\#(challenge)"}"#)
        }
        router.post("/v1/otp/resend") { request, _ in
            let fields = try await self.fields(request)
            let phone = self.phones.withLock { $0[fields["challenge_id"] ?? ""]?.e164 }
            let problem = phone.flatMap { Self.refusedAgain[$0] } ?? "resend-too-soon"
            let status = ["resends-exhausted": 422, "challenge-not-active": 410][problem] ?? 429
            return Self.problem(status, problem, retryAfter: 30)
        }
        router.post("/v1/otp/verify") { request, _ in
            let fields = try await self.fields(request)
            guard let phone = self.phones.withLock({ $0[fields["challenge_id"] ?? ""] }),
                let challenge = ChallengeID(fields["challenge_id"] ?? "")
            else { return Self.problem(410, "challenge-not-active") }
            guard fields["code"]?.wholeMatch(of: /[0-9]{6}/) != nil else { return Self.problem(400, "invalid-request") }
            guard fields["code"] == Self.code else { return Self.problem(422, "incorrect-code", left: 4) }
            let proof = try TokenSigner(keys: AdminDatabase.keys).sign(
                VerificationToken(
                    subject: phone, purpose: .adminSignIn, challengeID: challenge, expiresAt: Date() + 300),
                now: Date())
            return Response.json(.ok, text: #"{"verification_token":"\#(proof)","expires_in":300}"#)
        }
    }

    private func fields(_ request: Request) async throws -> [String: String] {
        if case .status(let code) = mode() { throw Problem(.serviceUnavailable, detail: "made up \(code)") }
        return try JSONDecoder().decode([String: String].self, from: Data(try await request.bytes()))
    }

    private static func problem(_ status: Int, _ code: String, left: Int? = nil, retryAfter: Int? = nil) -> Response {
        Response.json(
            HTTPResponse.Status(code: status),
            text: #"{"code":"\#(code)"\#(left.map { #","attempts_left":\#($0)"# } ?? "")}"#,
            headers: retryAfter.map { [.retryAfter: String($0)] } ?? [:])
    }
}
