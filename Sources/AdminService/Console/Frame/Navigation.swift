import Identity

/// The pages in the navigation, in its order.
enum Section: String, Sendable, CaseIterable {
    case dashboard
    case users
    case messages
    case destinations
    case audit
    case operators
    case caches
    case account

    var title: String {
        switch self {
        case .dashboard: "Dashboard"
        case .users: "Users"
        case .messages: "Messages"
        case .destinations: "Destinations"
        case .audit: "Audit log"
        case .operators: "Operators"
        case .caches: "Caches"
        case .account: "Account"
        }
    }

    var path: String { self == .dashboard ? "/" : "/\(rawValue)" }

    /// Who sees it.
    var role: Role { self == .operators ? .owner : .viewer }

    /// The outline of its icon, 20 by 20.
    var icon: String {
        switch self {
        case .dashboard: "M3 10h5.5V3H3zM11.5 17H17v-7h-5.5zM3 17h5.5v-4H3zM11.5 7H17V3h-5.5z"
        case .users:
            """
            M7.5 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 17c0-3 2.5-5 5.5-5s5.5 2 5.5 5M13.2 3.3a3 3 0 0 1 0 5.4\
            M15 12.4c1.8.7 3 2.4 3 4.6
            """
        case .messages: "M3 5h14v10H3zM3 5.5l7 5.5 7-5.5"
        case .destinations:
            """
            M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM2.5 10h15M10 2.5c2.2 2.2 3.2 4.8 3.2 7.5s-1 5.3-3.2 7.5\
            c-2.2-2.2-3.2-4.8-3.2-7.5s1-5.3 3.2-7.5z
            """
        case .audit: "M5 2.5h7l3 3v12H5zM12 2.5v3h3M7.5 9h5M7.5 12h5M7.5 15h3"
        case .operators:
            "M10 2.5l6 2.2v4.8c0 3.7-2.4 6.6-6 8-3.6-1.4-6-4.3-6-8V4.7zM7.5 10l2 2 3.5-3.8"
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
