import Foundation
import Testing

@testable import AdminService

@Suite("States of destinations")
struct DestinationStateTests {
    private static func board(_ states: [String: String]) throws -> DestinationBoard {
        let items = states.map { prefix, state in #"{"prefix":"\#(prefix)","state":"\#(state)"}"# }
        let text = #"{"destinations":[\#(items.joined(separator: ","))],"as_of":"2026-11-24T08:00:00.000Z"}"#
        return try JSONDecoder().decode(DestinationBoard.self, from: Data(text.utf8))
    }

    @Test(
        "a block of numbers is as its longest decided beginning, then its country, then the breakers and its parts",
        arguments: [
            ([:], nil),
            (["+9198766": "blocked", "US": "blocked"], nil),
            (["+9198765": "blocked"], "blocked"),
            (["+91": "blocked"], "blocked"),
            (["+91": "blocked", "+91987": "allowed"], "allowed"),
            (["+91": "allowed", "+919876": "blocked"], "blocked"),
            (["IN": "blocked"], "blocked"),
            (["IN": "blocked", "+919": "allowed"], "allowed"),
            (["IN": "allowed", "+91987654": "open"], "open"),
            (["IN": "allowed", "+9198765432": "blocked"], "blocked"),
            (["IN": "allowed"], "allowed"),
            (["IN": "open"], "open"),
            (["IN": "open", "+919": "allowed"], "allowed"),
            (["IN": "half-open", "+91987654": "open"], "open"),
            (["+91987654": "open"], "open"),
            (["+9198765432": "blocked", "+9198765": "half-open"], "blocked"),
            (["+9198765432": "blocked", "+91": "allowed"], "blocked"),
            (["+91987654": "open", "+91": "allowed"], "allowed"),
            (["+9198765432": "allowed"], "allowed"),
            (["+9198765432": "allowed", "+91": "blocked"], "blocked"),
        ] as [([String: String], String?)])
    func blocks(states: [String: String], expected: String?) throws {
        #expect(try Self.board(states).state(ofBlock: "+9198765", in: "IN") == expected)
    }

    @Test(
        "a country is as the beginning that all its numbers have, then itself; its parts are not the whole",
        arguments: [
            ([:], nil), (["IN": "blocked"], "blocked"), (["IN": "open"], "open"), (["+91": "blocked"], "blocked"),
            (["+9": "blocked"], "blocked"), (["+91": "allowed", "IN": "blocked"], "allowed"),
            (["+9198765": "blocked"], nil), (["+92": "blocked", "US": "blocked"], nil),
        ] as [([String: String], String?)])
    func countries(states: [String: String], expected: String?) throws {
        #expect(try Self.board(states).state(ofCountry: "IN") == expected)
    }
}
