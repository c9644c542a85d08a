/// Why messages did not arrive, as the dashboard explains it.
enum FailureWording {
    /// The word that otp-service counts by, and what it means; the word alone if it is a new one.
    static func cause(_ reason: String) -> String {
        let meaning: String? =
            switch reason {
            case "unreachable": "switched off or out of reach"
            case "full": "no room for messages on the phone"
            case "barred": "the line takes no messages"
            case "blocked": "the subscriber wants none of these"
            case "rejected": "not as registered (DLT)"
            case "country_blocked": "the account does not send there"
            case "recipient": "the gateway knows no such number"
            case "expired": "the code died before it was taken"
            case "configuration": "key, template or address; see the alert"
            case "balance": "the account is empty"
            case "quota": "the account has had its share"
            default: nil
            }
        let word = reason.replacing("_", with: " ")
        return meaning.map { "\(word): \($0)" } ?? word
    }
}
