import HTTPServer
import HTTPTypes
import Hummingbird

/// Whether a request that changes something was sent by a page of this origin.
///
/// All browsers say so in `Origin`, the newer ones in `Sec-Fetch-Site` as well (W3C Fetch Metadata). At least one of them
/// has to be there, and each that is there has to agree. The hidden field of the form is checked besides.
enum SameOrigin {
    /// Throws 403 unless it was.
    static func require(_ request: Request) throws(Problem) {
        let site = request.headers[values: .secFetchSite]
        let origin = request.headers[values: .origin]
        guard site.count + origin.count > 0, site.allSatisfy({ $0 == "same-origin" }),
            origin.allSatisfy({ isOwn($0, request) })
        else { throw .foreignForm() }
    }

    /// Whether the host of the origin is the one the request was sent to; the scheme is the proxy's affair.
    private static func isOwn(_ origin: String, _ request: Request) -> Bool {
        guard let host = request.head.authority ?? request.headers[.hostName] else { return false }
        for scheme in ["https://", "http://"] where origin.hasPrefix(scheme) {
            return origin.dropFirst(scheme.count).lowercased() == host.lowercased()
        }
        return false
    }
}

extension Problem {
    /// 403 for a form that did not come from a page of this session.
    static func foreignForm() -> Problem {
        Problem(
            .insufficientScope,
            detail: "The form did not come from a page of this session. Open the page again and repeat what you did.")
    }
}
