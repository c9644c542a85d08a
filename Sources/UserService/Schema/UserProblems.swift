import HTTPServer

/// The vocabulary of problem codes of this service, besides the shared ones.
extension ProblemType {
    static let verificationAlreadyUsed = ProblemType(
        "verification-already-used", status: 409, title: "The verification token was used before",
        explanation: """
            A verification token begins one session. Within a minute it gives that session again, so that a lost answer can be \
            asked for again; later, or once the session was refreshed or ended, it is worth nothing. Verify the phone anew.
            """)
    static let userSuspended = ProblemType(
        "user-suspended", status: 403, title: "The user is suspended",
        explanation: "An administrator has suspended this user. Only an administrator can lift that.")
    static let refreshTokenReused = ProblemType(
        "refresh-token-reused", status: 401, title: "The refresh token was used before",
        explanation: """
            A refresh token is replaced by its successor when it is used. This one was replaced longer ago than a lost answer \
            explains, so somebody may have copied it: the session has been ended. Sign in anew.
            """)

    static let userDeleted = ProblemType(
        "user-deleted", status: 409, title: "The user is deleted",
        explanation: "Nothing can be done with a user who is deleted. A new proof of the phone makes a new user.")
    static let idempotencyKeyReused = ProblemType(
        "idempotency-key-reused", status: 422, title: "The idempotency key belongs to another request",
        explanation: """
            The Idempotency-Key names one action on one user, for a day. Send another key with another action; the same key only \
            to ask for the same again.
            """)

    static let verificationNotValid = ProblemType(
        "verification-not-valid", status: 422, title: "The verification token is not valid",
        explanation: """
            It is no proof of otp-service for the purpose change_phone, or has expired. Send a code with that purpose to the new \
            phone, verify it, and send the verification token that this gives.
            """)
    static let freshSignInRequired = ProblemType(
        "fresh-sign-in-required", status: 403, title: "A fresh sign-in is required",
        explanation: """
            The phone is the account, so that only a session of the last ten minutes may change it; a refresh does not make a \
            session younger. Sign in with the old phone, then send the proof of the new one with the new access token.
            """)
    static let phoneInUse = ProblemType(
        "phone-in-use", status: 409, title: "The phone belongs to another user",
        explanation: """
            A phone is one account. Whoever holds this phone may sign in with it; to give it to this user, that account must be \
            deleted first. The verification token is not used up.
            """)
    static let unsupportedTokenType = ProblemType(
        "unsupported-token-type", status: 400, title: "This kind of token cannot be revoked",
        explanation: """
            Access tokens and refresh tokens can be revoked here. A verification token is worth nothing after its one use or \
            five minutes; tokens of administrators and services are not given out by this service.
            """)

    static let accountConfirmationRequired = ProblemType(
        "account-confirmation-required", status: 409, title: "The account of this phone was not used for long",
        explanation: """
            Networks give unused numbers to other people, so that the holder of the phone may not be the owner of its account. Ask, \
            then send the same request again with one member more: "account": "continue" with "email", the account's e-mail \
            address, signs in to it; "account": "new" closes and erases that account for ever and begins a new one. The verification \
            token is not used up. An account without an e-mail address can be continued after an operator has reactivated it.
            """)
    static let accountConfirmationFailed = ProblemType(
        "account-confirmation-failed", status: 403, title: "That is not the account's e-mail address",
        explanation: """
            The account is continued by whoever names its e-mail address. After five wrong ones, none is right for a day. The \
            verification token is not used up: begin a new account with "account": "new", or turn to an operator.
            """)

    static let user: [ProblemType] = [
        .accountConfirmationRequired, .accountConfirmationFailed,
        .unsupportedTokenType,
        .verificationAlreadyUsed, .userSuspended, .refreshTokenReused, .userDeleted, .idempotencyKeyReused,
        .verificationNotValid, .freshSignInRequired, .phoneInUse,
    ]
}
