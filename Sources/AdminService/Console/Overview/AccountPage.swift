import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

/// `GET /account`: who is signed in, with which rights, and for how long.
struct AccountPage: Sendable {
    let frame: PageFrame
    let limits: OperatorSessionLimits

    struct View: Sendable {
        let id: String
        let phone: String
        let role: String
        let rights: String
        let idle: String
        let absolute: String
    }

    func add(to routes: ConsoleRoutes) {
        routes.page("/account") { request, context in
            try frame.page(
                "account", title: "Account", section: .account,
                View(
                    id: context.admin.id.description, phone: context.admin.phone.description,
                    role: context.admin.role.rawValue, rights: context.admin.role.rights,
                    idle: Wording.seconds(Double(limits.idle)), absolute: Wording.seconds(Double(limits.absolute))),
                request, context)
        }
    }
}
