import Foundation
import Identity
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("Every place at the gateway is stuck", .timeLimit(.minutes(5)))
struct StuckGatewayTests {
    /// A gateway that takes every connection and never answers; ``close()`` ends all of them.
    private final class Silence: Sendable {
        let port: Int
        private let listener: Int32

        init() throws {
            port = try TestCluster.freePort()
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(clamping: port).bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let status = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            // The kernel completes the connections; nobody ever accepts one.
            guard status == 0, listen(listener, 512) == 0 else { throw ServiceTestError("no silence") }
        }

        func close() {
            shutdown(listener, Int32(SHUT_RDWR))
            _ = Glibc.close(listener)
        }
    }

    /// Who has what: changes whenever a delivery ends, and whenever one begins.
    private static func leases(_ server: OTPServer) async throws -> [String?] {
        try await server.database.execute(
            "SELECT challenge_id || ' ' || lease || ' ' || tries FROM messages WHERE lease IS NOT NULL ORDER BY 1")
    }

    @Test(
        "sends and answers need no place, no connection and no task of a delivery: all are answered while all 64 are stuck"
    )
    func stuck() async throws {
        let silence = try Silence()
        try await withOTPServer(
            DispatcherTests.environment, baseURL: "http://127.0.0.1:\(silence.port)", gatewayTime: .seconds(120)
        ) { server in
            let places = Dispatcher.Configuration().inFlight
            // Eight times as many as there are connections to the database: a delivery holds none while it waits.
            #expect(places >= 8 * 8)
            var count = 0
            while try await Self.leases(server).count < places {
                _ = try await server.challenge(.fresh())
                count += 1
                try #require(count < 500)
            }
            let before = try await Self.leases(server)
            #expect(before.count == places)

            let answered = try await RaceTests.parallel(16) { _ in
                for _ in 0..<10 {
                    let phone = PhoneNumber.fresh()
                    let id = try #require(ChallengeID(try await server.challenge(phone)))
                    let verified = try await server.verify(id.description, try Keys.code(id, phone).digits)
                    #expect(verified.status == 200)
                }
                return 10
            }
            // SMS-06, SMS-10: less than half a second. Whoever waited for the gateway or for a place would have in each of these,
            // so the quickest tells, however busy the machine is.
            var quickest = Duration.seconds(60)
            for _ in 0..<20 {
                let phone = PhoneNumber.fresh()
                let start = ContinuousClock.now
                let sent = try await server.send(phone)
                quickest = min(quickest, ContinuousClock.now - start)
                #expect(sent.status == 202)
            }
            #expect(quickest < .milliseconds(500))
            // In all that time not one delivery ended, and none began: nothing was answered because one did.
            #expect(answered.reduce(0, +) == 160)
            #expect(try await Self.leases(server) == before)
            let untouched = try await server.database.execute(
                "SELECT count(*) FROM messages WHERE lease IS NULL AND state = 'queued' AND tries = 0")
            #expect(untouched == ["\(count - places + 180)"])
            // Background tasks have a transaction for a moment; one of a delivery would stay as long as its call.
            var busy: [String?] = []
            for _ in 0..<400 where busy != ["0"] {
                busy = try await server.database.execute(
                    """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state ~ 'in transaction'
                    """)
                if busy != ["0"] { try await Task.sleep(for: .milliseconds(50)) }
            }
            #expect(busy == ["0"])
            let live = try await server.api.get("/health/live")
            #expect(live.status == 200)
            silence.close()
        }
    }
}
