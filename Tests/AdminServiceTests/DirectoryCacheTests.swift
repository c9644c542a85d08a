import Caching
import Identity
import Synchronization
import Testing

@testable import AdminService

@Suite("Cache of users", .timeLimit(.minutes(2)))
struct DirectoryCacheTests {
    private static func cache() -> Cache<ReadDirectory.Key, ReadDirectory.Answer> {
        AdminCaches(
            settings: AdminSettings(
                userServiceURL: "", otpServiceURL: "", dashboardTTL: .seconds(600), usersTTL: .seconds(600),
                secret: AdminDatabase.secret)
        ).users
    }

    private static func search(_ text: String) throws -> ReadDirectory.Key {
        .page(try DirectoryQuery(search: text, status: nil, sort: nil, cursor: nil, limit: 50, defaultRegion: nil))
    }

    @Test(
        "ADM-17: whatever is searched for, 16 MiB are kept, and what is asked all the time is among them",
        arguments: [(12_000, 0, 200), (1_500, 200, 60_000)])
    func bound(searches: Int, users: Int, bytes: Int) async throws {
        let cache = Self.cache()
        let answer = ReadDirectory.Answer(
            json: String(repeating: "x", count: bytes), users: (0..<users).map { _ in UserID() })
        let fills = Mutex(0)
        for number in 0..<searches {
            _ = try await cache.value(for: try Self.search("name \(number)")) { answer }
            guard number.isMultiple(of: 20) else { continue }
            _ = try await cache.value(for: try Self.search("hot")) {
                fills.withLock { $0 += 1 }
                return answer
            }
        }
        let held = cache.statistics.entries
        // A key takes some memory too: a search is of up to two hundred characters.
        #expect(held * (bytes + 2000) <= 16 << 20, "\(held) entries")
        #expect(held * (bytes + 2000) >= 4 << 20, "\(held) entries")
        #expect(fills.withLock(\.self) < 5)
    }
}
