import HTTPServer
import HTTPTypes
import Hummingbird
import Tokens

/// `GET` and `PATCH /v1/users/me`.
struct ProfileRoutes: Sendable {
    let users: UserStore
    let verifier: TokenVerifier
    let signal: ChangeSignal

    func add(to router: PostkeyRouter) {
        let me = router.group("/v1/users/me", accessTokens: verifier)
        me.get { _, context in
            guard let user = try await users.user(of: context.token) else { throw Problem.invalidToken() }
            return Self.answer(user)
        }
        me.patch { request, context in
            let body = try await request.json(as: ProfileBody.self)
            switch body.change.checked() {
            case .failure(let error):
                throw Problem(
                    .invalidRequest, errors: error.fields.map { FieldError($0.rawValue, $0.expectation) })
            case .success(let change):
                guard let user = try await users.change(change, of: context.token) else { throw Problem.invalidToken() }
                signal.give()
                return Self.answer(user)
            }
        }
    }

    private static func answer(_ user: User) -> Response {
        var json = JSONText(capacity: 384)
        user.write(to: &json)
        return Response.json(.ok, text: json.text)
    }
}

/// The body of a change of the profile: absent members stay, null clears.
struct ProfileBody: JSONBody {
    static let members: Set<String> = ["display_name", "locale", "email"]

    let change: ProfileChange

    enum CodingKeys: String, CodingKey {
        case displayName = "display_name"
        case locale
        case email
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func change(_ key: CodingKeys) throws -> Change<String> {
            guard container.contains(key) else { return .keep }
            return try container.decodeIfPresent(String.self, forKey: key).map(Change.set) ?? .clear
        }
        self.change = ProfileChange(
            displayName: try change(.displayName), locale: try change(.locale), email: try change(.email))
    }
}
