import HTTPServer
import HTTPTypes
import Hummingbird

/// `POST /v1/auth/login`.
struct SignInRoutes: Sendable {
    let signIn: SignInWithProof

    func add(to router: PostkeyRouter) {
        router.post("/v1/auth/login") { request, _ in
            let body = try await request.json(as: LoginBody.self)
            var deviceName: String?
            if let text = body.deviceName {
                guard let stored = DisplayText.stored(text) else {
                    throw Problem.invalid("device_name", ProfileField.displayName.expectation)
                }
                deviceName = stored
            }
            do {
                let (tokens, isNewUser) = try await signIn(body.verificationToken, deviceName: deviceName)
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
        }
    }
}

/// The body of a sign-in.
struct LoginBody: JSONBody {
    static let members: Set<String> = ["verification_token", "device_name"]

    let verificationToken: String
    let deviceName: String?

    enum CodingKeys: String, CodingKey {
        case verificationToken = "verification_token"
        case deviceName = "device_name"
    }
}
