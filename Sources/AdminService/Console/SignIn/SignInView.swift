/// What the sign-in page shows.
struct SignInView: Sendable {
    /// What was wrong, at the field it belongs to.
    enum Mistake: Sendable {
        case phone(String)
        case code(String)
        case factor(String)
    }

    let asksForPhone: Bool
    let asksForCode: Bool
    let isProven: Bool
    let phone: String
    let phoneMistake: String?
    let codeMistake: String?
    let factorMistake: String?
    /// `?return=…`, or nothing.
    let query: String

    init(_ ticket: SignInTicket, _ mistake: Mistake?, returnPath: String) {
        asksForPhone = ticket.challenge == nil
        isProven = ticket.proof != nil
        asksForCode = ticket.challenge != nil && ticket.proof == nil
        phone = ticket.phone ?? ""
        query = Self.query(returnPath)
        var sentences: (phone: String?, code: String?, factor: String?)
        switch mistake {
        case .phone(let text): sentences.phone = text
        case .code(let text): sentences.code = text
        case .factor(let text): sentences.factor = text
        case nil: break
        }
        (phoneMistake, codeMistake, factorMistake) = sentences
    }

    static func path(returningTo path: String) -> String { "/sign-in" + query(path) }

    private static func query(_ path: String) -> String {
        path == "/" ? "" : "?return=" + PercentText.encode(path)
    }
}
