import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

/// The colours a page is shown in.
enum Theme: String, Sendable, CaseIterable {
    /// As the system wants it.
    case auto
    case light
    case dark

    init(_ cookie: String?) { self = cookie.flatMap(Theme.init(rawValue:)) ?? .auto }

    var title: String {
        switch self {
        case .auto: "System"
        case .light: "Light"
        case .dark: "Dark"
        }
    }
}

/// `POST /theme`: keeps the choice in a cookie.
struct ThemeRoutes: Sendable {
    let cookies: ConsoleCookies

    func add(to routes: ConsoleRoutes) {
        routes.action("/theme", atLeast: .viewer) { form, request, _ in
            let cookie =
                switch Theme(form["theme"]) {
                case .auto: cookies.clear(.theme, for: request)
                case let theme: cookies.set(.theme, theme.rawValue, maximumAge: 365 * 86_400, for: request)
                }
            return .seeOther(ReturnPath.checked(form["return"]), [cookie])
        }
    }
}
