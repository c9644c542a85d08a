import Identity

/// The pages in the navigation, in its order.
enum Section: String, Sendable, CaseIterable {
    case dashboard
    case users
    case caches
    case account

    var title: String {
        switch self {
        case .dashboard: "Dashboard"
        case .users: "Users"
        case .caches: "Caches"
        case .account: "Account"
        }
    }

    var path: String { self == .dashboard ? "/" : "/\(rawValue)" }

    /// Who sees it.
    var role: Role { .viewer }

    /// The outline of its icon, 20 by 20.
    var icon: String {
        switch self {
        case .dashboard: "M3 10h5.5V3H3zM11.5 17H17v-7h-5.5zM3 17h5.5v-4H3zM11.5 7H17V3h-5.5z"
        case .users:
            """
            M7.5 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 17c0-3 2.5-5 5.5-5s5.5 2 5.5 5M13.2 3.3a3 3 0 0 1 0 5.4\
            M15 12.4c1.8.7 3 2.4 3 4.6
            """
        case .caches: "M10 2.5l7.5 4-7.5 4-7.5-4zM2.5 10l7.5 4 7.5-4M2.5 13.5l7.5 4 7.5-4"
        case .account: "M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM3.5 17c.6-3 3.2-5 6.5-5s5.9 2 6.5 5"
        }
    }
}

/// One link of the navigation, as the template wants it.
struct NavigationItem: Sendable {
    let title: String
    let path: String
    let icon: String
    let isCurrent: Bool

    static func items(for role: Role, current: Section?) -> [NavigationItem] {
        Section.allCases.filter { role >= $0.role }.map { section in
            NavigationItem(
                title: section.title, path: section.path, icon: section.icon, isCurrent: section == current)
        }
    }
}
