internal import Foundation

/// The page of a phone that gets everybody's messages, with the controls of the simulator beside it.
struct InboxPage: Sendable {
    let style: String
    let script: String
    let icon: String
    private let page: HTMLTemplate
    private let thread: HTMLTemplate
    private let message: HTMLTemplate
    private let controls: ControlPanel

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
        icon = try file("icon.svg")
        page = HTMLTemplate(try file("inbox.html"))
        thread = HTMLTemplate(try file("thread.html"))
        message = HTMLTemplate(try file("message.html"))
        controls = ControlPanel(
            page: HTMLTemplate(try file("controls.html")), fault: HTMLTemplate(try file("fault.html")),
            failure: HTMLTemplate(try file("failure.html")))
    }

    /// The newest messages, one conversation for each number, and the state of the simulator.
    func render(_ messages: [Message], mobile: String?, gateway: Gateway) -> String {
        let threads = InboxThread.group(messages).map { entry in
            thread.render(
                [
                    "mobile": "+\(entry.mobile)", "digits": entry.mobile, "initial": String(entry.mobile.suffix(2)),
                    "count": "\(entry.messages.count)", "plural": entry.messages.count == 1 ? "" : "s",
                ], parts: ["messages": entry.messages.reversed().map(render).joined()])
        }
        let state = controls.state(gateway)
        return page.render(
            [
                "mobile": mobile ?? "", "count": "\(messages.count)",
                "title": messages.isEmpty ? "Inbox" : "Inbox (\(messages.count))",
            ],
            parts: [
                "threads": threads.joined(), "alerts": state.alerts, "controls": state.panel,
                "failures": state.failures, "faults": state.faults,
                "empty": messages.isEmpty ? "" : " hidden", "all": mobile == nil ? " hidden" : "",
            ])
    }

    private func render(_ entry: Message) -> String {
        let (text, webLine) = InboxThread.split(entry)
        let time = Timestamp.rfc3339(entry.receivedAt)
        return message.render(
            [
                "kind": entry.channel.rawValue, "channel": Self.name(entry.channel),
                "sender": Self.sender(entry.channel),
                "otp": entry.otp ?? "", "time": time, "clock": String(time.dropFirst(11).prefix(8)),
                "crqid": entry.crqid ?? "none", "request": entry.requestID, "template": entry.templateID,
            ],
            parts: [
                "text": InboxThread.marked(text, code: entry.otp),
                "web": webLine.map { "<span class=\"web\">\(InboxThread.marked($0, code: entry.otp))</span>" } ?? "",
                "chip": entry.otp == nil ? " hidden" : "",
            ])
    }

    private static func name(_ channel: Message.Channel) -> String {
        switch channel {
        case .sms: "Text message"
        case .voice: "Voice call"
        case .whatsapp: "WhatsApp"
        }
    }

    /// As Indian operators show it: operator and circle before the header, the kind of message behind it.
    private static func sender(_ channel: Message.Channel) -> String {
        switch channel {
        case .sms: "AX-PSTKEY-S"
        case .voice: "Incoming call"
        case .whatsapp: "Postkey"
        }
    }
}
