import Foundation
import Identity
import Testing

@testable import AdminService

@Suite("Console: hostile text", .timeLimit(.minutes(2)))
struct HostileTextTests {
    private static let user = "/users/\(StubService.userID)"

    @Test("ADM-10: what devices, networks, gateways and operators wrote is shown literally on every page")
    func pages() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.owner)
            server.otp.pause()
            let expected: [(String, [String])] = [
                ("/", ["Bill"]), ("/live/dashboard", ["Bill"]), ("/users", []),
                (Self.user, ["Phone", "Network", "Cause"]), ("/messages", ["Cause"]), ("/destinations", ["Spike"]),
                ("/audit", []), ("/operators", []), ("/caches", []), ("/account", []),
            ]
            for (path, marks) in expected {
                let text = try await browser.get(path).text
                for mark in marks {
                    #expect(text.contains("\(mark)&quot;&gt;&lt;script&gt;a&lt;/script&gt;{{7*7}}"), "\(path): \(mark)")
                }
                #expect(!text.contains("<script>a"), "\(path)")
            }
        }
    }

    @Test("only what was made as HTML goes into a template as it is")
    func templates() throws {
        let made: Set = ["body", "drawing", "table", "live"]
        let directory = AdminService.migrationsDirectory.deletingLastPathComponent().appending(path: "Pages")
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(names.count > 10)
        for name in names where name.hasSuffix(".mustache") {
            let text = String(decoding: try Data(contentsOf: directory.appending(path: name)), as: UTF8.self)
            let raw = text.matches(of: /\{\{(\{|&) *([^ }]*)/).map { String($0.output.2) }
            #expect(made.isSuperset(of: raw), "\(name): \(raw)")
        }
    }
}
