import Foundation
import Identity
import Testing

@Suite("An identifier")
struct IdentifierTests {
    @Test("is a UUID of version 7 and variant 10")
    func version() {
        let bytes = withUnsafeBytes(of: SessionID().uuid.uuid) { Array($0) }
        #expect(bytes[6] >> 4 == 7)
        #expect(bytes[8] >> 6 == 2)
    }

    @Test("begins with its time of creation in milliseconds")
    func time() {
        let uuid = UUID.version7(at: Date(timeIntervalSince1970: 1_645_557_742))
        #expect(uuid.lowercaseText.hasPrefix("017f22e2-79b0-7"))
        #expect(UUID.version7(at: Date(timeIntervalSince1970: -1)).lowercaseText.hasPrefix("00000000-0000-7"))
        #expect(UUID.version7(at: .distantFuture).lowercaseText.hasPrefix("3a4aa17b-4000-7"))
    }

    @Test("sorts by time and never repeats")
    func order() {
        let start = Date()
        let ids = (0..<1000).map { UUID.version7(at: start + Double($0) / 1000).lowercaseText }
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == 1000)
    }

    @Test("reads and writes 36 characters")
    func text() throws {
        let id = UserID()
        #expect(id.description == id.uuid.uuidString.lowercased())
        #expect(UserID(id.description) == id)
        #expect(UserID(id.description.uppercased()) == id)
        #expect(try JSONDecoder().decode([UserID].self, from: JSONEncoder().encode([id])) == [id])
    }

    @Test(
        "reads nothing else",
        arguments: [
            "", "x", "0190c2b6", "{0190c2b6-7b5c-7def-8abc-0123456789ab}", "0190c2b67b5c7def8abc0123456789ab",
            "0190c2b6-7b5c-7def-8abc-0123456789ag", "0190c2b6-7b5c-7def-8abc-0123456789ab ", "' or 1=1--",
            String(repeating: "a", count: 100_000),
        ])
    func notText(_ text: String) {
        #expect(UserID(text) == nil)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([UserID].self, from: JSONEncoder().encode([text]))
        }
    }

    @Test("of a role compares by rights")
    func roles() {
        #expect(Role.allCases.sorted() == [.viewer, .support, .owner])
        #expect(Role.viewer < .owner)
    }

    @Test("of a purpose leads to its audience")
    func purposes() {
        #expect(Purpose.allCases.map(\.rawValue) == ["sign_in", "change_phone", "admin_sign_in"])
        #expect(Purpose.allCases.map(\.audience) == [.user, .user, .admin])
    }
}
