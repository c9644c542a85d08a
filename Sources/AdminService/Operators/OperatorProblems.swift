import HTTPServer

/// The problems of operators' sign-in.
extension ProblemType {
    static let notAnAdmin = ProblemType(
        "not-an-admin", status: 403, title: "The phone is not an operator's",
        explanation: """
            The phone was proven, but no active operator has it. An owner, or who has the command line of the server, adds \
            operators.
            """)
    static let incorrectCode = ProblemType(
        "incorrect-code", status: 422, title: "The authenticator's code is not right",
        explanation: """
            The code is wrong, older or newer than half a minute, or was used before. Enter the next code that the \
            authenticator shows, or a recovery code that was not used; the phone proof stays good for that. The member "attempts_left" says how many wrong \
            codes are left before a lock.
            """)
    static let tooManyFailures = ProblemType(
        "too-many-failures", status: 429, title: "Too many wrong codes",
        explanation: """
            The operator is locked after wrong codes; no code is looked at before "Retry-After" is over, not even a \
            right one. After a hundred wrong codes in a row the operator must be enrolled anew.
            """)
    static let verificationAlreadyUsed = ProblemType(
        "verification-already-used", status: 409, title: "The phone proof was used",
        explanation: "A phone proof makes one session, and this one has. Ask for a new code to sign in again.")

    static let lastOwner = ProblemType(
        "last-owner", status: 409, title: "There would be no owner left",
        explanation: "The operator is the last owner. Give another one that role first.")
    static let ownRole = ProblemType(
        "own-role", status: 409, title: "Nobody changes their own role",
        explanation: "An owner cannot demote or remove themselves, so that a slip locks nobody out. Ask another owner.")

    static let notAMobilePhone = ProblemType(
        "not-a-mobile-phone", status: 422, title: "The phone cannot receive codes",
        explanation: """
            Codes are sent as text messages, and the number is one of a landline, a toll-free line or another line that \
            receives none: its holder could never sign in. Use the number of a mobile phone.
            """)

    /// All problems that only admin-service has.
    static let admin: [ProblemType] = [
        .notAnAdmin, .incorrectCode, .tooManyFailures, .verificationAlreadyUsed, .lastOwner, .ownRole, .userDeleted,
        .actionUnderWay, .actionRefused, .idempotencyKeyReused, .notAMobilePhone,
    ]
}
