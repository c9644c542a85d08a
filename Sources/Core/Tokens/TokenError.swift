/// Why a token was refused. The client is told `invalid_token` in every case (RFC 6750 §3.1); the log may say which.
package enum TokenError: String, Error, Hashable, CaseIterable {
    /// Not three base64url parts of strict JSON within the bounds, or a claim is missing or of the wrong form.
    case malformed
    /// An algorithm other than the configured one, or a header member that asks for something we do not do.
    case unsupported
    /// The signature is that of none of our keys.
    case signature
    case expired
    /// `nbf` or `iat` lies in the future beyond the leeway.
    case notYetValid = "not_yet_valid"
    /// Signed by us, but as another kind of token (RFC 8725 §3.11).
    case wrongType = "wrong_type"
    case wrongIssuer = "wrong_issuer"
    case wrongAudience = "wrong_audience"
    /// Valid for longer than its kind may be.
    case lifetime
}
