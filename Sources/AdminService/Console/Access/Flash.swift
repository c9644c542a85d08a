import HTTPServer
import Hummingbird
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The word about what was just done, which the redirect after a form carries to the page that says it.
///
/// Sealed, for one subject, one session and one minute: no link makes a page say that something was done, and a bookmark does
/// not say it again.
struct Flash: Sendable {
    private struct Note: Codable {
        let word: String
        let subject: String
        let session: String
        /// Seconds since 1970.
        let at: Double
    }

    static let lifetime: TimeInterval = 60

    let sealer: Sealer

    /// To `path`, whose page is about `subject`: the path if nothing is said.
    func redirect(
        to path: String, query: [(String, String?)] = [], about subject: String? = nil, saying word: String,
        _ context: ConsoleContext
    ) throws -> Response {
        let text = try text(word, about: subject ?? path, context.session, at: Date())
        return .seeOther(PercentText.link(path, query + [("done", text)]))
    }

    /// The word that the address carries; nil without one.
    func word(about subject: String, _ fields: QueryFields, _ context: ConsoleContext) -> String? {
        fields.string("done").flatMap { word($0, about: subject, context.session, at: Date()) }
    }

    func text(_ word: String, about subject: String, _ session: SessionID, at now: Date) throws -> String {
        let note = Note(word: word, subject: subject, session: "\(session)", at: now.timeIntervalSince1970)
        return try sealer.seal(note)
    }

    /// Nil for one about something else, of another session or older than a minute.
    func word(_ text: String, about subject: String, _ session: SessionID, at now: Date) -> String? {
        guard let note = sealer.open(text, as: Note.self), note.subject == subject, note.session == "\(session)",
            abs(now.timeIntervalSince1970 - note.at) <= Self.lifetime
        else { return nil }
        return note.word
    }
}
