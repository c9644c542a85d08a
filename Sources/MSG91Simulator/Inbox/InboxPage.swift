internal import Foundation

/// The page of a phone that gets everybody's messages.
struct InboxPage: Sendable {
    let style: String
    let script: String
    private let page: HTMLTemplate
    private let message: HTMLTemplate

    /// Reads the page's files from the module's resources.
    init() throws {
        func file(_ name: String) throws -> String {
            guard let url = Bundle.module.url(forResource: "Pages/\(name)", withExtension: nil) else {
                throw CocoaError(.fileNoSuchFile)
            }
            return try String(contentsOf: url, encoding: .utf8)
        }
        style = try file("inbox.css")
        script = try file("inbox.js")
        page = HTMLTemplate(try file("inbox.html"))
        message = HTMLTemplate(try file("message.html"))
    }

    /// The newest messages, one bubble each.
    func render(_ messages: [Message], mobile: String?) -> String {
        let bubbles = messages.map { entry in
            message.render([
                "mobile": "+\(entry.mobile)", "channel": Self.name(entry.channel), "text": entry.text,
                "otp": entry.otp ?? "", "time": Timestamp.rfc3339(entry.receivedAt),
                "clock": String(Timestamp.rfc3339(entry.receivedAt).dropFirst(11).prefix(8)),
            ])
        }
        return page.render(
            ["mobile": mobile ?? "", "count": "\(messages.count)"], parts: ["messages": bubbles.joined()])
    }

    private static func name(_ channel: Message.Channel) -> String {
        switch channel {
        case .sms: "SMS"
        case .voice: "Voice call"
        case .whatsapp: "WhatsApp"
        }
    }
}
