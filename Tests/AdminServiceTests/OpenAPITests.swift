import Foundation
import HTTPServer
import Hummingbird
import ServiceTestKit
import Testing

@testable import AdminService

/// The published contract says what the service does: the same operations and problem codes. `AdminServer.send` holds every
/// answer of all tests to it.
@Suite("OpenAPI")
struct OpenAPITests {
    @Test("the file has exactly the routes of the service")
    func routes() async throws {
        let contract = try adminContract.get()
        try await withAdminServer { server in
            let router = PostkeyRouter(context: PostkeyRequestContext.self)
            server.assembly.add(to: router)
            #expect(Set(router.routes.map { "\($0.method.rawValue) \($0.path.description)" }) == contract.operations)
        }
    }

    @Test("the file names exactly the problem codes of the service, and its examples are what it says")
    func codes() throws {
        let contract = try adminContract.get()
        #expect(contract.codes.sorted() == AdminService.problems.codes.sorted())
        #expect(contract.faults == [])
        #expect(contract.unsaidOfBodies == [])
    }
}
