import HTTPServer
import HTTPTypes
import Hummingbird

/// `POST /v1/auth/login`.
struct SignInRoutes: Sendable {
    let signIn: SignInWithProof

    func add(to router: PostkeyRouter) {
        router.post("/v1/auth/login") { request, context in
            let body = try await request.json(as: LoginBody.self)
            var deviceName: String?
            if let text = body.deviceName {
                guard let stored = DisplayText.stored(text) else {
                    throw Problem.invalid("device_name", ProfileField.displayName.expectation)
                }
                deviceName = stored
            }
            let choice = try body.choice()
            do {
                let (tokens, isNewUser) = try await signIn(
                    body.verificationToken, deviceName: deviceName, choice: choice, from: context.clientAddress)
                return Response.json(isNewUser ? .created : .ok, text: tokens.json)
            } catch let error as SignInError {
                throw Self.problem(error)
            }
        }
    }

    private static func problem(_ error: SignInError) -> Problem {
        switch error {
        case .invalid: .invalidToken()
        case .alreadyUsed: Problem(.verificationAlreadyUsed)
        case .suspended: Problem(.userSuspended)
        case .unconfirmed: Problem(.accountConfirmationRequired)
        case .notTheOwner: Problem(.accountConfirmationFailed)
        }
    }
}

/// The body of a sign-in.
struct LoginBody: JSONBody {
    static let members: Set<String> = ["verification_token", "device_name", "account", "email"]

    let verificationToken: String
    let deviceName: String?
    /// `continue` or `new`.
    let account: String?
    /// With `continue`.
    let email: String?

    enum CodingKeys: String, CodingKey {
        case verificationToken = "verification_token"
        case deviceName = "device_name"
        case account
        case email
    }

    /// What is chosen about an account whose phone was not used for long. Throws 400.
    func choice() throws(Problem) -> AccountChoice? {
        do throws(InvalidAccountChoice) {
            return try AccountChoice.read(account: account, email: email)
        } catch {
            switch error {
            case .account: throw .invalid("account", "must be continue or new")
            case .email:
                throw .invalid("email", "must be the account's e-mail address with continue, and absent otherwise")
            }
        }
    }
}
