import Foundation
import Identity
import Testing
import Tokens

@testable import UserService

/// What a signature tells that is right in part.
@Suite("JWT-22: signatures that are right in part", .serialized)
struct SignatureTimingTests {
    static let rights = [0, 1, 16, 31]

    /// The token with a signature whose first bytes are right and whose others are not.
    static func token(_ token: String, right: Int) throws -> String {
        let parts = token.split(separator: ".")
        var signature = try #require(Base64URL.decode(parts[2].utf8))
        try #require(signature.count == 32)
        for index in right..<32 { signature[index] ^= UInt8.random(in: 1...255) }
        return parts[0] + "." + parts[1] + "." + Base64URL.encode(signature)
    }

    @Test("JWT-22: are answered alike, however much of them is right", arguments: rights)
    func refused(right: Int) async throws {
        try await withUserServer { server in
            let good = try await server.login().accessToken
            let wrong = try await server.me(try Self.token(good, right: 0))
            for _ in 0..<5 {
                let answer = try await server.me(try Self.token(good, right: right))
                #expect(answer.status == 401 && answer.code == "invalid-token")
                #expect(answer.header("WWW-Authenticate") == wrong.header("WWW-Authenticate"))
                #expect(answer.object.keys.sorted() == wrong.object.keys.sorted())
                #expect(answer.string("detail") == wrong.string("detail"))
            }
            #expect(try await server.me(good).status == 200)
        }
    }

    /// `JWT_TIMING=5000`: so many requests of each kind, on a machine that has nothing else to do.
    static let samples = ProcessInfo.processInfo.environment["JWT_TIMING"].flatMap { Int($0) }

    @Test("JWT-22: take as long as each other", .enabled(if: samples != nil, "JWT_TIMING is not set"))
    func timing() async throws {
        try await withUserServer { server in
            let good = try await server.login().accessToken
            // The first class twice: what these two differ by is the measure's own error.
            let classes = [0] + Self.rights
            let tokens = try classes.map { try Self.token(good, right: $0) }
            var times = classes.map { _ in [Double]() }
            for _ in 0..<(Self.samples ?? 0) {
                for index in classes.indices.shuffled() {
                    let began = ContinuousClock.now
                    #expect(try await server.me(tokens[index]).status == 401)
                    times[index].append((ContinuousClock.now - began) / .microseconds(1))
                }
            }
            let medians = times.map { times in times.dropFirst(times.count / 20).sorted()[times.count * 19 / 40] }
            let noise = abs(medians[0] - medians[1])
            print("JWT-22: medians \(medians.map { Int($0) }) µs for \(classes), A/A \(Int(noise)) µs")
            for median in medians { #expect(abs(median - medians[0]) <= max(1000, 3 * noise)) }
        }
    }
}
