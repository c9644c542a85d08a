import Foundation
import HTTPServer
import Hummingbird
import ServiceTestKit
import Testing

@testable import AdminService

/// The published contract says what the service does: the same operations, the same problem codes.
@Suite("OpenAPI")
struct OpenAPITests {
    @Test("the file has exactly the routes of the service")
    func routes() async throws {
        let contract = OpenAPIText(try AdminService.openAPI())
        #expect(contract.repeatedKeys == [] && contract.danglingReferences == [])
        try await withAdminServer { server in
            let router = PostkeyRouter(context: PostkeyRequestContext.self)
            server.assembly.add(to: router)
            #expect(Set(router.routes.map { "\($0.method.rawValue) \($0.path.description)" }) == contract.operations)
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
