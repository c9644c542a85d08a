/// The messages of one number.
struct InboxThread {
    let mobile: String
    /// Newest first.
    var messages: [Message]

    /// One thread for each number, in the order of their newest messages.
    static func group(_ messages: [Message]) -> [InboxThread] {
        var threads: [InboxThread] = []
        var places: [String: Int] = [:]
        for message in messages {
            if let place = places[message.mobile] {
                threads[place].messages.append(message)
            } else {
                places[message.mobile] = threads.count
                threads.append(InboxThread(mobile: message.mobile, messages: [message]))
            }
        }
        return threads
    }

    /// The text for people, and the last line if it is one for browsers (`@domain #code`).
    static func split(_ message: Message) -> (text: String, webLine: String?) {
        guard message.channel != .whatsapp, let last = message.text.split(separator: "\n").last, last.hasPrefix("@"),
            last.contains(" #")
        else { return (message.text, nil) }
        var text = message.text.dropLast(last.count)
        while text.last == "\n" { text.removeLast() }
        // A voice does not read it out.
        return (String(text), message.channel == .sms ? String(last) : nil)
    }

    /// Safe HTML with the code set apart.
    static func marked(_ text: String, code: String?) -> String {
        let escaped = HTMLTemplate.escape(text)
        guard let code, code.count >= 4, code.isNumeric else { return escaped }
        return escaped.replacing(code, with: "<b>\(code)</b>", maxReplacements: 1)
    }
}
