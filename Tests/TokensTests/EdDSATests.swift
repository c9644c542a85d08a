import Crypto
import Foundation
import Identity
import Synchronization
import Testing

@testable import Tokens

@Suite("JWT_ALGORITHM=EdDSA")
struct EdDSATests {
    static let seed: [UInt8] = (0..<32).map { UInt8($0 * 7 % 251) }
    let key: PrivateTokenKey
    let other: PrivateTokenKey
    let now = Forgery.now
    let keys = TokenKeys(current: Forgery.key, previous: nil)

    init() throws {
        key = try #require(PrivateTokenKey(seed: Self.seed))
        other = try #require(PrivateTokenKey(seed: Self.seed.reversed()))
    }

    var token: AccessToken {
        AccessToken(userID: UserID(), sessionID: SessionID(), id: .version7(), issuedAt: now, expiresAt: now + 900)
    }

    func verifier(_ public: PublicTokenKey, previous: PublicTokenKey? = nil) -> TokenVerifier {
        TokenVerifier(
            keys: keys, accessKeys: OwnAccessKeys(current: `public`, previous: previous), now: { Forgery.now })
    }

    @Test("signs access tokens with the private key and verifies them with the public one alone")
    func signs() async throws {
        let signer = TokenSigner(keys: keys, accessKey: key)
        let token = token
        let text = try signer.sign(token, now: now)
        #expect(try await verifier(key.publicKey).access(text) == token)
        #expect(try signer.sign(token, now: now) == text)
        let header = Base64URL.decode(text.utf8.prefix { $0 != UInt8(ascii: ".") }).map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(header == #"{"alg":"EdDSA","kid":"\#(key.publicKey.id)","typ":"at+jwt"}"#)
        await #expect(throws: TokenError.signature) { try await verifier(other.publicKey).access(text) }
        // The other kinds stay as they are.
        let service = ServiceToken(service: .otp, audience: .user, expiresAt: now + 60)
        #expect(
            try await verifier(key.publicKey).service(
                signer.sign(service, now: now), audience: .user, callers: [.otp]
            ).service == .otp)
    }

    @Test("the thumbprint and the JWK are those of RFC 8037, appendix A")
    func thumbprint() throws {
        let bytes = try #require(Base64URL.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".utf8))
        let key = try #require(PublicTokenKey(bytes: bytes))
        #expect(key.id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        #expect(key.jwk.contains(#""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#))
        #expect(key.jwk.contains(#""crv":"Ed25519""#))
    }

    @Test("reads keys as openssl writes them, and refuses what is none")
    func parsing() throws {
        // openssl genpkey -algorithm ed25519, and its public half.
        let pem = """
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
            -----END PRIVATE KEY-----
            """
        let published = """
            -----BEGIN PUBLIC KEY-----
            MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
            -----END PUBLIC KEY-----
            """
        let key = try #require(PrivateTokenKey(parsing: pem))
        #expect(key.publicKey.id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        for text in [
            pem.replacing("\n", with: "\\n"), "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
            "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        ] { #expect(PrivateTokenKey(parsing: text)?.publicKey == key.publicKey, "\(text.count)") }
        #expect(PublicTokenKey(parsing: published) == key.publicKey)
        #expect(PublicTokenKey(parsing: pem) == key.publicKey)
        for text in ["", "x", "nWGx", String(repeating: "A", count: 43), published, pem + "AAAA"] {
            #expect(PrivateTokenKey(parsing: text) == nil)
        }
        #expect("\(key)".contains(key.publicKey.id))
        let dump = "\(String(reflecting: key))"
        #expect(!dump.contains("157") && !dump.contains("seed"))
    }

    @Test("JWT-19: nothing but an EdDSA signature of a published key is taken, whatever an HMAC is keyed with")
    func confusion() async throws {
        let verifier = verifier(key.publicKey)
        let good = try TokenSigner(keys: keys, accessKey: key).sign(token, now: now)
        _ = try await verifier.access(good)
        let der: [UInt8] =
            [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00] + key.publicKey.bytes
        let pem =
            "-----BEGIN PUBLIC KEY-----\n\(Data(der).base64EncodedString())\n-----END PUBLIC KEY-----\n"
        let secrets: [[UInt8]] = [
            key.publicKey.bytes, der, Array(pem.utf8), Array(key.publicKey.jwk.utf8),
            Array(Base64URL.encode(key.publicKey.bytes).utf8), Forgery.key.bytes, [],
        ]
        for secret in secrets {
            for algorithm in ["HS256", "EdDSA", "ES256", "none", "eddsa", "Ed25519", "EdDSA "] {
                for name in [#","kid":"\#(key.publicKey.id)""#, ""] {
                    let header = #"{"alg":"\#(algorithm)","typ":"at+jwt"\#(name)}"#
                    await #expect(throws: TokenError.self) {
                        try await verifier.access(Forgery.token(header, key: secret))
                    }
                }
            }
        }
        // The shared secret signs users' tokens no more.
        let shared = try TokenSigner(keys: keys).sign(token, now: now)
        await #expect(throws: TokenError.unsupported) { try await verifier.access(shared) }
        // And with HS256 a key pair signs nothing.
        await #expect(throws: TokenError.unsupported) { try await Forgery.verifier().access(good) }
        // Only access tokens are signed with it.
        for type in ["svc+jwt", "admin+jwt", "otp+jwt", "JWT"] {
            let text = try key.sign(token.claims(now: now), type: type)
            await #expect(throws: TokenError.wrongType) { try await verifier.access(text) }
        }
    }

    @Test("JWT-02: any byte of the signature, and any other payload, spoils it")
    func tampering() async throws {
        let verifier = verifier(key.publicKey)
        let good = try TokenSigner(keys: keys, accessKey: key).sign(token, now: now)
        let second = try TokenSigner(keys: keys, accessKey: key).sign(token, now: now)
        let parts = good.split(separator: ".").map(String.init)
        let swapped = second.split(separator: ".").map(String.init)[1]
        await #expect(throws: TokenError.signature) { try await verifier.access("\(parts[0]).\(swapped).\(parts[2])") }
        let signature = try #require(Base64URL.decode(parts[2].utf8))
        for index in signature.indices {
            var flipped = signature
            flipped[index] ^= 1
            let text = "\(parts[0]).\(parts[1]).\(Base64URL.encode(flipped))"
            await #expect(throws: TokenError.signature) { try await verifier.access(text) }
        }
    }

    @Test("JWT-17: both keys verify during a rotation, and a retired one no more, also for a token that was seen")
    func rotation() async throws {
        let old = try TokenSigner(keys: keys, accessKey: other).sign(token, now: now)
        let new = try TokenSigner(keys: keys, accessKey: key).sign(token, now: now)
        let source = Replaceable([key.publicKey, other.publicKey])
        let verifier = TokenVerifier(keys: keys, accessKeys: source, now: { Forgery.now })
        _ = try await verifier.access(old)
        _ = try await verifier.access(new)
        source.replace([key.publicKey])
        await #expect(throws: TokenError.signature) { try await verifier.access(old) }
        _ = try await verifier.access(new)
    }

    @Test("the times are judged as ever")
    func times() async throws {
        func text(_ issued: Double, _ expires: Double) async throws -> String {
            let token = AccessToken(
                userID: UserID(), sessionID: SessionID(), id: .version7(), issuedAt: now + issued,
                expiresAt: now + expires)
            return try TokenSigner(keys: keys, accessKey: key).sign(token, now: now)
        }
        let verifier = verifier(key.publicKey)
        _ = try await verifier.access(text(-900, -20))
        await #expect(throws: TokenError.expired) { try await verifier.access(text(-900, -40)) }
        await #expect(throws: TokenError.notYetValid) { try await verifier.access(text(120, 900)) }
    }
}

/// Keys that a test takes away.
private final class Replaceable: AccessKeySource {
    private let state: Mutex<(keys: [PublicTokenKey], generation: Int)>
    init(_ keys: [PublicTokenKey]) { state = Mutex((keys, 0)) }
    func replace(_ keys: [PublicTokenKey]) { state.withLock { $0 = (keys, $0.generation + 1) } }
    var generation: Int { state.withLock { $0.generation } }
    func keys(for keyID: String?) async -> [PublicTokenKey] { state.withLock { $0.keys }.named(keyID) }
}
