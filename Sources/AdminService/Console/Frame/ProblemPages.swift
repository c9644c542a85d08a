import HTTPServer
import HTTPTypes
import Hummingbird

/// Shows problems as pages to those who read pages.
///
/// Programs get the document that every service gives; a path of the console, or a client that asks for HTML, gets a page
/// that says what to do. Whoever is not signed in is led to the sign-in.
struct ProblemPages: Sendable {
    let frame: PageFrame
    let cookies: ConsoleCookies

    struct View: Sendable {
        let status: Int
        let title: String
        let sentence: String
        let advice: String
        let requestID: String
        let isRetryable: Bool
    }

    /// The page; nil if the document is the answer.
    func present(_ problem: Problem, _ head: HTTPRequest, _ requestID: String) -> Response? {
        guard isForPeople(head) else { return nil }
        let request = Request(head: head, body: RequestBody(buffer: .init()))
        if problem.type.status == 401 { return signIn(head, request) }
        let view = View(
            status: problem.type.status, title: Self.title(problem.type.status),
            sentence: problem.detail ?? Self.sentence(problem), advice: Self.advice(problem), requestID: requestID,
            isRetryable: problem.type.status >= 500 || problem.type.status == 429)
        var headers = Array(problem.headers).filter { $0.name != .wwwAuthenticate }
        if let seconds = problem.retryAfter {
            headers.append(HTTPField(name: .retryAfter, value: String(max(0, seconds))))
        }
        return try? frame.page(
            "problem", title: view.title, status: HTTPResponse.Status(code: problem.type.status), view, request,
            headers: headers)
    }

    private func signIn(_ head: HTTPRequest, _ request: Request) -> Response {
        let isPage = head.method == .get || head.method == .head
        let path = isPage ? ReturnPath.checked(head.path) : "/"
        let query = path == "/" ? "" : "?return=" + PercentText.encode(path)
        var response = Response.seeOther("/sign-in\(query)", [cookies.clear(.session, for: request)])
        for field in PageHeaders.fields(isSecure: cookies.isSecure(request)) {
            response.headers[field.name] = field.value
        }
        return response
    }

    /// The API and the paths for operation are for programs, whatever they accept. So is the answer to a head that could not
    /// be read: it may have been meant for either, and programs must find their document.
    private func isForPeople(_ head: HTTPRequest) -> Bool {
        guard let path = head.path?.prefix(while: { $0 != "?" }) else { return false }
        let first = path.split(separator: "/", maxSplits: 1).first.map(String.init) ?? ""
        if ["v1", "internal", "health", "metrics", "openapi.yaml", "assets"].contains(first) { return false }
        if first.isEmpty || Self.ownPaths.contains(first) { return true }
        return head.headerFields[values: .accept].contains { $0.contains("text/html") }
    }

    private static let ownPaths = Set(Section.allCases.map(\.rawValue) + ["sign-in", "sign-out", "theme"])

    private static func title(_ status: Int) -> String {
        switch status {
        case 403: "You may not do this"
        case 404: "There is no such page"
        case 405: "That does not work here"
        case 429: "Too often"
        case 503: "Not available for a moment"
        case 500...: "Something went wrong"
        default: "That cannot be done"
        }
    }

    private static func sentence(_ problem: Problem) -> String {
        if let error = problem.errors.first {
            return "\(error.field.isEmpty ? "The form" : error.field) \(error.message)."
        }
        return switch problem.type.status {
        case 403: "Your role does not allow this."
        case 404: "The address leads nowhere, or what it named is no longer there."
        case 503: "A service or database that this page needs gives no answer."
        case 500...: "The page met a defect. It has been recorded."
        default: problem.type.title + "."
        }
    }

    private static func advice(_ problem: Problem) -> String {
        switch problem.type.status {
        case 403: "An owner can change roles under Operators. What you tried has been recorded in the audit log."
        case 404: "Check the address, or begin at the dashboard."
        case 503: "Wait a few seconds and load the page again. The rest of the console may work meanwhile."
        case 500...: "Load the page again. If it stays, report the request id below."
        case 429: "Wait a moment, then try again."
        case 409 where problem.retryAfter != nil: "Go back and send it again in a moment."
        default: "Go back, correct what is named above, and send it again."
        }
    }
}
