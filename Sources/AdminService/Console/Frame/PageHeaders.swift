import HTTPTypes

/// The headers of every page.
enum PageHeaders {
    /// Nothing but our own files, no inline script or style, no frame, no form that leads elsewhere.
    static let securityPolicy = """
        default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
        form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'
        """

    /// - Parameter isSecure: over https the browser is told to come by https only, for a year.
    static func fields(isSecure: Bool) -> HTTPFields {
        var fields: HTTPFields = [
            .cacheControl: "no-store",
            // Not "no-referrer": with that a browser sends `Origin: null` with our own forms.
            .referrerPolicy: "same-origin",
            .crossOriginOpenerPolicy: "same-origin",
            .crossOriginResourcePolicy: "same-origin",
            .permissionsPolicy: "camera=(), microphone=(), geolocation=(), payment=()",
        ]
        if isSecure { fields[.strictTransportSecurity] = "max-age=31536000; includeSubDomains" }
        return fields
    }
}
