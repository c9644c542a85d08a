import HTTPServer
import HTTPTypes
import Hummingbird

/// The cookies of the console: their names, their attributes, and how they are read.
///
/// With the prefix `__Host-` a browser takes a cookie only over https, for this host alone and for all its paths (RFC
/// 6265bis §4.1.3.2). On http, which only development permits, it would take none such, so the plain name is used.
struct ConsoleCookies: Sendable {
    enum Name: String, CaseIterable {
        /// The access token of the operator's session.
        case session = "postkey_admin"
        /// How far a sign-in has come, sealed.
        case signIn = "postkey_sign_in"
        /// `light` or `dark`.
        case theme = "postkey_theme"
    }

    let isProduction: Bool

    /// Whether the browser speaks https: always in production, else if the proxy in front says so.
    ///
    /// A client that lies about it gets a cookie that its browser will not send back; nobody else is concerned.
    func isSecure(_ request: Request) -> Bool {
        isProduction || request.headers[values: .xForwardedProto].last?.lowercased() == "https"
    }

    /// The value of a cookie; nil if it is absent, or sent twice, since then one of them is somebody else's.
    func value(_ name: Name, of request: Request) -> String? {
        if let value = Self.value("__Host-" + name.rawValue, request) { return value }
        return isSecure(request) ? nil : Self.value(name.rawValue, request)
    }

    private static func value(_ name: String, _ request: Request) -> String? {
        var found: String?
        for header in request.headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let parts = pair.drop { $0 == " " }.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, parts[0] == name else { continue }
                guard found == nil else { return nil }
                found = String(parts[1])
            }
        }
        return found.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The `Set-Cookie` of a value.
    /// - Parameter maximumAge: seconds; nil keeps it until the browser is closed.
    func set(_ name: Name, _ value: String, maximumAge: Int? = nil, for request: Request) -> HTTPField {
        let isSecure = isSecure(request)
        var text = "\(isSecure ? "__Host-" : "")\(name.rawValue)=\(value); Path=/; HttpOnly; SameSite=Strict"
        if isSecure { text += "; Secure" }
        if let maximumAge { text += "; Max-Age=\(maximumAge)" }
        return HTTPField(name: .setCookie, value: text)
    }

    /// The `Set-Cookie` that makes the browser forget it.
    func clear(_ name: Name, for request: Request) -> HTTPField {
        set(name, "", maximumAge: 0, for: request)
    }
}

extension HTTPField.Name {
    static let xForwardedProto = consoleName("X-Forwarded-Proto")
    static let secFetchSite = consoleName("Sec-Fetch-Site")
    static let referrerPolicy = consoleName("Referrer-Policy")
    static let crossOriginOpenerPolicy = consoleName("Cross-Origin-Opener-Policy")
    static let crossOriginResourcePolicy = consoleName("Cross-Origin-Resource-Policy")
    static let permissionsPolicy = consoleName("Permissions-Policy")
    static let clearSiteData = consoleName("Clear-Site-Data")
    static let lastEventID = consoleName("Last-Event-ID")
    static let hostName = consoleName("Host")

    /// A name that is known to be one.
    private static func consoleName(_ text: String) -> HTTPField.Name { HTTPField.Name(text) ?? .expect }
}
