import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    @Suite(.timeLimit(.minutes(5))) struct CodeSecrecyTests {
        private static let webhook = "Hq4Zt7Qm2Xv9Kp4Ws1Ld8Rb3"

        @Test("I7: no code is in a log, a metric or a backup of any service, whatever was done with it")
        func nowhere() async throws {
            let environment = ["LOG_LEVEL": "trace", "MSG91_WEBHOOK_SECRET": Self.webhook]
            try await withDeployment(environment: environment) { deployment in
                try await report(deployment)
                var codes: Set<String> = []
                for kind in 0..<12 { codes.insert(try await use(deployment, kind)) }
                #expect(codes.count > 10)
                var operatorSignIn = OperatorSignIn(deployment)
                let (operators, enrolment) = try await operatorSignIn()
                codes.formUnion(operators)
                for part in [Deployment.Part.otp, .user, .admin] {
                    let metrics = try await deployment.api(part).get("/metrics").text
                    let backup = try await backup(deployment, part)
                    let log = try await deployment.processes.get(part).log
                    #expect(metrics.contains("http_") && backup.contains("COPY public.") && !log.isEmpty)
                    for (kind, text) in [("metrics", metrics), ("backup", backup), ("log", log)] {
                        // Six digits are also found in times and ids: they count only where they stand alone.
                        let words = text.split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "." && $0 != "+" }
                        #expect(codes.isDisjoint(with: Set(words.map(String.init))), "\(part) \(kind)")
                        for code in codes { #expect(!text.contains(Self.hexadecimal(code)), "\(part) \(kind)") }
                        for secret in deployment.secretValues + [Self.webhook, enrolment] {
                            #expect(!text.contains(secret), "\(part) \(kind)")
                        }
                    }
                }
                #expect(try await backup(deployment, .otp).contains("+9198"))
            }
        }

        /// The bytes of a text, as PostgreSQL writes a `bytea`.
        private static func hexadecimal(_ text: String) -> String {
            text.utf8.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }

        /// The simulator reports what it delivers.
        private func report(_ deployment: Deployment) async throws {
            let hook = deployment.api(.otp).base + "/v1/otp/delivery-reports/" + Self.webhook
            _ = try await deployment.api(.simulator).call(
                "PUT", "/reporting", Array(#"{"url":"\#(hook)"}"#.utf8), nil, [("Content-Type", "application/json")])
        }

        /// Asks for a code and does one of several things with it.
        private func use(_ deployment: Deployment, _ kind: Int) async throws -> String {
            let person = Person(deployment)
            let challenge = try #require(try await person.sendCode().string("challenge_id"))
            let code = try await person.receiveCode()
            let wrong = code.dropLast() + (code.hasSuffix("0") ? "1" : "0")
            switch kind % 4 {
            case 0: _ = try await person.logIn(try #require(try await right(person, challenge, code)))
            case 1:
                for _ in 0..<6 { _ = try await person.verify(challenge, String(wrong)) }
                _ = try await person.verify(challenge, code)
            case 2:
                try await deployment.execute("UPDATE phones SET resend_at = '-infinity'", in: .otp)
                _ = try await deployment.api(.otp).post(
                    "/v1/otp/resend", #"{"challenge_id":"\#(challenge)","channel":"voice"}"#)
                _ = try await person.verify(ChallengeName.unknown, code)
            default:
                // Where it does not belong.
                _ = try await deployment.api(.otp).get("/v1/otp/challenges/\(challenge)?code=\(code)")
                _ = try await deployment.api(.otp).post(
                    "/v1/otp/verify", #"{"challenge_id":"\#(challenge)","code":\#(Int(code) ?? 0)}"#)
                _ = try await deployment.api(.otp).post(
                    "/v1/otp/verify", #"{"challenge_id":"\#(code)","code":"\#(challenge)"}"#)
            }
            return code
        }

        private enum ChallengeName { static let unknown = "01936a00-0000-7000-8000-000000000000" }

        private func right(_ person: Person, _ challenge: String, _ code: String) async throws -> String? {
            try await person.verify(challenge, code).string("verification_token")
        }

        /// What `pg_dump` of the server's own version writes.
        private func backup(_ deployment: Deployment, _ part: Deployment.Part) async throws -> String {
            let cluster = deployment.cluster
            let file = cluster.directory + "/\(deployment.database(part)).sql"
            try await deployment.execute(
                """
                COPY (SELECT '') TO PROGRAM '"$(dirname "$(readlink /proc/$PPID/exe)")"/pg_dump -h \(cluster.directory) \
                -p \(cluster.port) -U postgres \(deployment.database(part)) > \(file) && chmod 644 \(file)'
                """, in: part)
            defer { try? FileManager.default.removeItem(atPath: file) }
            return try String(contentsOfFile: file, encoding: .utf8)
        }
    }
}
