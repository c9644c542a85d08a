import HTTPServer
import HTTPTypes
import Hummingbird
import ServiceRuntime
import Tokens

/// The pair that signs access tokens with EdDSA, and the public keys that others may verify them by.
struct AccessKeyPair: Sendable {
    let current: PrivateTokenKey
    let published: OwnAccessKeys

    /// Takes the current pair, and the public key before it, which still verifies during a rotation.
    init(current: PrivateTokenKey, previous: PublicTokenKey?) {
        self.current = current
        published = OwnAccessKeys(current: current.publicKey, previous: previous)
    }

    /// Reads `JWT_PRIVATE_KEY` and `JWT_PREVIOUS_PRIVATE_KEY`; what is wrong is noted in the reader.
    init?(_ reader: SettingsReader) {
        let form = "an Ed25519 key in PEM or base64; make one with: openssl genpkey -algorithm ed25519"
        let previous = reader.parsed("JWT_PREVIOUS_PRIVATE_KEY", default: PublicTokenKey?.none, form) {
            PublicTokenKey(parsing: $0)
        }
        guard let text = reader.optional("JWT_PRIVATE_KEY") else {
            reader.problem("JWT_PRIVATE_KEY", "is required with JWT_ALGORITHM=EdDSA: \(form)")
            return nil
        }
        guard let current = PrivateTokenKey(parsing: text) else {
            reader.problem("JWT_PRIVATE_KEY", "must be \(form)")
            return nil
        }
        self.init(current: current, previous: previous)
    }
}

/// `GET /.well-known/jwks.json` (RFC 7517 §5): empty with HS256, whose keys are nobody's business.
struct KeySetRoutes: Sendable {
    private let text: String
    private let tag: String

    /// How long others may keep the set, in seconds. A key is published for at least so long before it signs.
    private static let age = 300

    init(keys: [PublicTokenKey]) {
        text = #"{"keys":["# + keys.map(\.jwk).joined(separator: ",") + "]}"
        tag = "\"" + (keys.isEmpty ? "empty" : keys.map { String($0.id.prefix(12)) }.joined(separator: ".")) + "\""
    }

    func add(to router: PostkeyRouter) {
        router.get("/.well-known/jwks.json") { request, _ in
            let headers: HTTPFields = [.cacheControl: "public, max-age=\(Self.age)", .eTag: tag]
            // A list of tags, or * (RFC 9110 §13.1.2).
            let known = request.headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }
            if known.contains(where: { $0.drop { $0 == " " } == "*" || $0.contains(tag) }) {
                return Response.empty(.notModified, headers: headers)
            }
            return Response.text(.ok, text, type: "application/jwk-set+json", headers: headers)
        }
    }
}
