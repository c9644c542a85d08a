import Caching
import Identity

/// All caches of this instance, and what a change drops in them.
struct AdminCaches: Sendable {
    let userFigures: Cache<Int, UserStatistics>
    let messageFigures: Cache<Int, MessageStatistics>
    let users: Cache<ReadDirectory.Key, ReadDirectory.Answer>
    let destinations: Cache<String, DestinationBoard>
    let health: Cache<String, ServicesHealth>
    let sending: Cache<String, SendingState>
    let messages: Cache<MessageQuery, MessagePage>

    init(settings: AdminSettings) {
        userFigures = Cache(name: "user-statistics", policy: settings.dashboardPolicy)
        messageFigures = Cache(name: "message-statistics", policy: settings.dashboardPolicy)
        users = ReadDirectory.makeCache(policy: settings.usersPolicy)
        destinations = Cache(name: "destinations", policy: settings.statePolicy)
        health = Cache(name: "health", policy: settings.healthPolicy)
        sending = Cache(name: "sending", policy: settings.sendingPolicy)
        messages = ReadMessages.makeCache(policy: settings.messagesPolicy)
    }

    /// For listings.
    var all: [any InspectableCache] { [userFigures, messageFigures, users, destinations, health, sending, messages] }

    func drop(_ topic: ChangeTopic) {
        switch topic {
        case .all: for cache in all { cache.invalidateAll() }
        case .destinations:
            destinations.invalidateAll()
            sending.invalidateAll()
            messageFigures.invalidateAll()
        case .user(let id): dropUsers([id])
        }
    }

    /// Users changed, or were made: what shows them, every page (they may stand on another one now), and the figures.
    func dropUsers(_ ids: some Collection<UserID>) {
        for id in ids { users.invalidate(tag: ReadDirectory.tag(id)) }
        users.invalidate(tag: ReadDirectory.pages)
        userFigures.invalidateAll()
    }
}
