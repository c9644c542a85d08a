import Caching
import HTTPServer
import Identity
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The list of users and single users, as user-service says or last said.
struct ReadDirectory: Sendable {
    /// What is remembered under one key.
    enum Key: Hashable, Sendable {
        case page(DirectoryQuery)
        case user(UserID)
    }

    /// An answer as it is sent, written once per fill and not once per request.
    struct Answer: Sendable {
        let json: String
        let users: [UserID]
        /// Of a single user, whole: what belongs to the phone is asked for by it. Never shown.
        let phone: PhoneNumber?
        private let rendered = RenderedTable()

        init(json: String, users: [UserID], phone: PhoneNumber? = nil) {
            self.json = json
            self.users = users
            self.phone = phone
        }

        /// The page of users as the console shows it, made when it is first asked for. Throws `DecodingError`.
        func table() throws -> UsersTable { try rendered.table(of: json) }
    }

    private final class RenderedTable: Sendable {
        private let kept = Mutex<UsersTable?>(nil)

        func table(of json: String) throws -> UsersTable {
            if let table = kept.withLock(\.self) { return table }
            let table = try UsersTable(json: json)
            kept.withLock { $0 = table }
            return table
        }
    }

    let userService: UpstreamService
    let cache: Cache<Key, Answer>

    /// Carried by everything that shows the user: what a change of that user drops.
    static func tag(_ user: UserID) -> CacheTag { CacheTag("user:\(user)") }

    /// Carried by every page: what a new user drops.
    static let pages = CacheTag("user-pages")

    /// A cache of so many bytes in all. Keys are counted too: a search text can be longer than its answer.
    static func makeCache(policy: CachePolicy) -> Cache<Key, Answer> {
        Cache(
            name: "users", policy: policy,
            tags: { key, answer in
                var tags = Set(answer.users.map(tag))
                if case .page = key { tags.insert(pages) }
                return tags
            },
            // The console's table is twice as long as the answer that it is made from.
            cost: { _, answer in answer.json.utf8.count * 3 + answer.users.count * 200 + 2048 })
    }

    /// A page. Throws `UpstreamError`.
    func page(_ query: DirectoryQuery, refresh: Bool, trace: RequestTrace) async throws -> CachedValue<Answer> {
        try await cache.value(for: .page(query), of: .user, refresh: refresh) {
            let page = try await userService.getPatiently(
                "/internal/users", query: query.fields, as: DirectoryPage<DirectoryEntry>.self, trace: trace)
            return Answer(json: try Self.json(page), users: page.users.map(\.id))
        }
    }

    /// A single user. Throws `UpstreamError`.
    func user(_ id: UserID, refresh: Bool, trace: RequestTrace) async throws -> CachedValue<Answer> {
        try await cache.value(for: .user(id), of: .user, refresh: refresh) {
            let user = try await userService.get("/internal/users/\(id)", as: DirectoryUser.self, trace: trace)
            return Answer(json: try Self.json(user), users: [id], phone: user.entry.phone)
        }
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
