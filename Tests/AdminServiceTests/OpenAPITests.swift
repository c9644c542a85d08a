import Foundation
import HTTPServer
import Hummingbird
import Testing

@testable import AdminService

/// The published contract says what the service does: the same operations, the same problem codes.
@Suite("OpenAPI")
struct OpenAPITests {
    @Test("the file has exactly the routes of the service")
    func routes() async throws {
        let text = try AdminService.openAPI()
        var path = ""
        var described: Set<String> = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let match = line.wholeMatch(of: /\s{2}(\/\S+):/) { path = String(match.1) }
            if let match = line.wholeMatch(of: /\s{4}(get|post|put|patch|delete):/) {
                described.insert("\(match.1.uppercased()) \(path)")
            }
        }
        try await withAdminServer { [described] server in
            let router = PostkeyRouter(context: PostkeyRequestContext.self)
            server.assembly.add(to: router)
            #expect(Set(router.routes.map { "\($0.method.rawValue) \($0.path.description)" }) == described)
        }
    }

    @Test("the file names exactly the problem codes of the service")
    func codes() throws {
        let text = try AdminService.openAPI()
        let list = try #require(text.firstMatch(of: /code:\s+enum: \[([^\]]+)\]/)).1
        let codes = list.split { ",\n ".contains($0) }.map(String.init)
        #expect(codes == AdminService.problems.codes)
    }
}
