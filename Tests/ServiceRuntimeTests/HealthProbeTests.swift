import ServiceRuntime
import Testing

@Suite struct HealthProbeTests {
    @Test(
        arguments: [
            ("HTTP/1.1 200 OK\r\n", 200), ("HTTP/1.0 503 Service Unavailable\r\n", 503), ("HTTP/1.1 40", nil),
            ("SSH-2.0-OpenSSH_9.2", nil), ("HTTP/1.1-200 OK", nil), ("", nil),
        ] as [(String, Int?)])
    func theStatusIsReadFromTheFirstLineAlone(_ line: String, _ status: Int?) {
        #expect(HealthProbe.status(inLine: Array(line.utf8)) == status)
    }

    @Test(arguments: [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.7", "10.0.0.7")])
    func anAddressThatStandsForAllIsAskedByItsLoopback(_ host: String, _ asked: String) {
        #expect(HealthProbe(host: host, port: 1, path: "/health/live").host == asked)
    }

    @Test func whereNobodyListensThereIsNoStatus() {
        #expect(HealthProbe(host: "127.0.0.1", port: 1, path: "/health/live").status() == nil)
        #expect(HealthProbe(host: "not an address", port: 1, path: "/health/live").status() == nil)
    }
}
