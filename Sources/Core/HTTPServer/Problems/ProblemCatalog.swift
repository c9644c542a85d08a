import HTTPTypes
import Hummingbird

/// The closed list of problems of one service, and where their pages are.
package struct ProblemCatalog: Sendable {
    /// The beginning of every `type` URI, `/v1/otp`.
    package let prefix: String
    /// The service's own types and those that any service has, by code.
    package let types: [ProblemType]

    /// - Parameters:
    ///   - prefix: the service's public path without a slash at its end.
    ///   - types: the service's own problems; one with the code of a shared one takes its place.
    package init(prefix: String, types: [ProblemType]) {
        self.prefix = prefix
        var byCode: [String: ProblemType] = [:]
        for type in ProblemType.shared + types { byCode[type.code] = type }
        self.types = byCode.values.sorted { $0.code < $1.code }
    }

    /// All codes, sorted.
    package var codes: [String] { types.map(\.code) }

    /// Adds `GET <prefix>/problems/{code}`, the pages that the `type` URIs lead to.
    func addPages(to router: PostkeyRouter) {
        let pages = Dictionary(uniqueKeysWithValues: types.map { ($0.code, Self.page(for: $0)) })
        router.get("\(prefix)/problems/{code}") { _, context -> Response in
            guard let page = pages[try context.parameter("code")] else { throw Problem(.notFound) }
            return .html(
                .ok, page,
                contentSecurityPolicy: """
                    default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
                    """, headers: Self.pageHeaders)
        }
    }

    private static let pageHeaders: HTTPFields = {
        guard let opener = HTTPField.Name("Cross-Origin-Opener-Policy") else { return [:] }
        return [opener: "same-origin"]
    }()

    private static func page(for type: ProblemType) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>\(escape(type.code))</title></head>
        <body>
        <h1>\(escape(type.title))</h1>
        <p>Code <code>\(escape(type.code))</code>, status \(type.status).</p>
        <p>\(escape(type.explanation))</p>
        </body>
        </html>

        """
    }

    private static func escape(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
