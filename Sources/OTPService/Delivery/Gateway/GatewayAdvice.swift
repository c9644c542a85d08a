/// What an operator can do about a refusal; the codes are those of design document `msg91.md` §8.
extension GatewayRefusal {
    /// One sentence or two; contains nothing of the message or the account.
    package var advice: String {
        switch (kind, code) {
        case (.balance, _): "Top up the account's balance in MSG91's panel."
        case (.quota, _): "The account has had its share of small campaigns (506); ask MSG91 to lift the limit."
        case (.recipient, _): "MSG91 cannot reach this number; others are not affected."
        case (.request, _): "MSG91 could not read the request; report this with the code."
        case (.unrecognised, _): "MSG91 answered something undocumented; look at Failed Logs in its panel."
        case (.configuration, "201"), (.configuration, "207"), (.configuration, "invalid-key"),
            (.configuration, "missing-key"), (.configuration, "unauthorized"), (.configuration, "401"),
            (.configuration, "http-401"):
            "Check MSG91_AUTH_KEY: MSG91 does not accept this key. If it is right, try MSG91_AUTH_IN=query."
        case (.configuration, "418"), (.configuration, "ip-not-whitelisted"), (.configuration, "http-418"):
            "Allow-list the address that this server sends from, IPv4 and IPv6, in MSG91's panel, or switch the key's IP security off."
        case (.configuration, "208"), (.configuration, "ip-blocked"):
            "MSG91 has blocked this server's address; ask its support to lift the block."
        case (.configuration, "template"), (.configuration, "400"), (.configuration, "211"):
            "Check MSG91_TEMPLATE_ID: it must be the id of a template under OTP > Templates that is verified, not of the SMS section and not the DLT id."
        case (.configuration, "203"): "Check the sender id and the DLT entity of the template in MSG91's panel."
        case (.configuration, "302"): "The MSG91 account has expired; renew it."
        case (.configuration, "303"): "The MSG91 account is banned; speak to its support."
        case (.configuration, "505"): "The MSG91 account is a demo account; have it activated."
        case (.configuration, "205"), (.configuration, "209"), (.configuration, "210"), (.configuration, "306"):
            "The account's route cannot take this message; ask MSG91 for the OTP route."
        case (.configuration, "path"), (.configuration, "url"), (.configuration, "request"),
            (.configuration, "http-404"):
            "Check MSG91_BASE_URL: MSG91's paths are not there."
        case (.configuration, let code) where code.hasPrefix("http-3"):
            "Check MSG91_BASE_URL: it redirects, and redirects are not followed."
        case (.configuration, _): "Look at Failed Logs in MSG91's panel and ask its support about this code."
        }
    }
}
