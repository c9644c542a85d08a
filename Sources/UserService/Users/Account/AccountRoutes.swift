import HTTPServer
import HTTPTypes
import Hummingbird
import Logging
import Tokens

/// `DELETE /v1/users/me`, `POST /v1/users/me/phone` and `GET /v1/users/me/export`.
struct AccountRoutes: Sendable {
    let changePhone: ChangePhone
    let accounts: AccountStore
    let verifier: TokenVerifier
    let signal: ChangeSignal

    func add(to router: PostkeyRouter) {
        let me = router.group("/v1/users/me", accessTokens: verifier)
        me.delete { _, context in
            guard try await accounts.close(of: context.token) else { throw Problem.invalidToken() }
            signal.give()
            context.logger.info("A user left", metadata: ["user_id": "\(context.token.userID)"])
            return Response.empty(.noContent)
        }
        me.post("phone") { request, context in
            let body = try await request.json(as: PhoneChangeBody.self)
            do {
                let user = try await changePhone(body.verificationToken, of: context.token)
                context.logger.info("A user changed the phone", metadata: ["user_id": "\(user.id)"])
                var json = JSONText(capacity: 384)
                user.write(to: &json)
                return Response.json(.ok, text: json.text)
            } catch let error as PhoneChangeError {
                throw Self.problem(error)
            }
        }
        me.get("export") { _, context in
            guard let export = try await accounts.export(of: context.token) else { throw Problem.invalidToken() }
            return Response.json(
                .ok, text: export.json, headers: [.contentDisposition: #"attachment; filename="account.json""#])
        }
    }

    private static func problem(_ error: PhoneChangeError) -> Problem {
        switch error {
        case .revoked: .invalidToken()
        case .invalid: Problem(.verificationNotValid)
        case .alreadyUsed: Problem(.verificationAlreadyUsed)
        case .stale: Problem(.freshSignInRequired)
        case .inUse: Problem(.phoneInUse)
        }
    }
}

/// The body of a change of phone.
struct PhoneChangeBody: JSONBody {
    static let members: Set<String> = ["verification_token"]
    let verificationToken: String
    enum CodingKeys: String, CodingKey { case verificationToken = "verification_token" }
}
