import Identity

/// A page of messages as its template wants it; also the part of a user's page that shows theirs.
struct MessagesView: Sendable {
    struct Row: Sendable {
        let created: Wording.Moment
        let phone: String
        let purpose: String
        let channel: String
        let state: String
        let tone: String
        let failure: String?
        let used: String
    }

    /// What lifts the lock of the phone that was looked for.
    struct Unlock: Sendable {
        let sealed: String
        /// The same form sent twice does it once.
        let key = AuditID().description
        let title = UserAction.unlock.title
        let effect = UserAction.unlock.effect
    }

    /// What the search field holds.
    let phone: String
    let isNarrowed: Bool
    let maySearch: Bool
    var showsPhone = true
    /// Nil unless a phone was looked for.
    var lock: LockView?
    /// Unknown is true: to lift what is not there does no harm.
    var canBeUnlocked = true
    /// Nil unless a phone was looked for.
    var unlock: Unlock?
    /// The rows of the table, as HTML: a template would take as long for them as everything else takes.
    var body = ""
    var hasRows = false
    var isEmpty = false
    var asOf: Wording.Moment?
    /// Why there are none.
    var missing: String?
    var cursor: String?
    var first: String?
    var previous: String?
    var next: String?

    init(phone: PhoneNumber?, maySearch: Bool) {
        self.phone = phone?.e164 ?? ""
        isNarrowed = phone != nil
        self.maySearch = maySearch
    }

    mutating func take(_ page: MessagePage) {
        var markup = Markup()
        for message in page.messages { Row(message).write(to: &markup, showsPhone: showsPhone) }
        body = markup.html
        hasRows = !page.messages.isEmpty
        isEmpty = page.messages.isEmpty
        asOf = Wording.moment(page.asOf)
        cursor = page.nextCursor
        lock = page.lock.map(LockView.init)
        canBeUnlocked = page.lock?.canBeLifted ?? true
    }
}

extension MessagesView.Row {
    init(_ message: DeliveredMessage) {
        created = Wording.moment(message.createdAt)
        phone = message.maskedPhone
        purpose =
            switch message.purpose {
            case "sign_in": "sign-in"
            case "change_phone": "change of phone"
            case "admin_sign_in": "operator"
            default: message.purpose ?? "–"
            }
        channel = message.channel ?? "–"
        state = message.state ?? "–"
        tone =
            switch message.state {
            case "delivered": "good"
            case "failed": "bad"
            case "queued", "submitted": "role"
            default: "quiet"
            }
        failure = message.reason
        used = message.verifiedAt != nil ? "verified" : message.status ?? "–"
    }

    func write(to markup: inout Markup, showsPhone: Bool) {
        markup.raw("<tr><th scope=\"row\">")
        markup.time(created)
        markup.raw("</th>")
        if showsPhone { markup.cell("Phone") { $0.element("code", phone) } }
        markup.cell("For") { $0.text(purpose) }
        markup.cell("By") { $0.text(channel) }
        markup.cell("Delivery") { cell in
            cell.raw("<span>")
            cell.element("span", class: "badge \(tone)", state)
            if let failure {
                cell.raw(" ")
                cell.element("span", class: "quiet", failure)
            }
            cell.raw("</span>")
        }
        markup.cell("Used") { $0.text(used) }
        markup.raw("</tr>\n")
    }
}
