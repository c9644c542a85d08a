internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The development-only paths that steer the simulator; no part of MSG91.
struct ControlRoutes: Sendable {
    let gateway: Gateway

    func add(to router: Router<SimulatorContext>) {
        router.get("/health/live") { _, _ in Response.json(.members(["status": "ok"])) }
        router.get("/requests") { _, _ in Response.json(.array(gateway.requests().map(\.json))) }
        router.get("/failed-messages") { _, _ in Response.json(.array(gateway.failedMessages().map(\.json))) }
        addFaults(to: router)
        addAccount(to: router)
    }

    private func addFaults(to router: Router<SimulatorContext>) {
        router.get("/faults") { _, _ in try Self.encoded(gateway.faults()) }
        router.put("/faults") { request, _ in
            let body = try await Self.body(request)
            let names = Set(Fault.CodingKeys.allCases.map(\.rawValue))
            guard let faults = Self.list(Fault.self, members: names, body) else { return Self.refused(names) }
            gateway.setFaults(faults)
            return try Self.encoded(gateway.faults())
        }
        router.delete("/faults") { _, _ in
            gateway.setFaults([])
            return Response(status: .noContent)
        }
    }

    private func addAccount(to router: Router<SimulatorContext>) {
        router.get("/account") { _, _ in try Self.encoded(gateway.account()) }
        router.put("/account") { request, _ in
            guard let account = gateway.account().merging(try await Self.body(request)) else {
                return Response.json(.members(["error": "unknown member or wrong type"]), status: .badRequest)
            }
            gateway.updateAccount { $0 = account }
            return try Self.encoded(account)
        }
        router.get("/reporting") { _, _ in try Self.encoded(gateway.reporting()) }
        router.put("/reporting") { request, _ in
            let names = Set(Reporting.CodingKeys.allCases.map(\.rawValue))
            guard let reporting = Self.list(Reporting.self, members: names, try await Self.body(request))?.first else {
                return Self.refused(names)
            }
            gateway.setReporting(reporting)
            return try Self.encoded(reporting)
        }
    }

    private static func body(_ request: Request) async throws -> [UInt8] {
        Array(try await request.body.collect(upTo: 256 << 10).readableBytesView)
    }

    /// One object or an array of them; a member that does not exist is refused, it would be a misspelt one.
    private static func list<Element: Decodable>(
        _ type: Element.Type, members: Set<String>, _ bytes: [UInt8]
    ) -> [Element]? {
        guard let json = JSONValue(bytes) else { return nil }
        let objects: [JSONValue]
        if case .array(let elements) = json { objects = elements } else { objects = [json] }
        var values: [Element] = []
        for object in objects {
            guard case .object(let found) = object, found.allSatisfy({ members.contains($0.name) }),
                let value = try? JSONDecoder().decode(type, from: Data(object.text.utf8))
            else { return nil }
            values.append(value)
        }
        return values
    }

    private static func refused(_ members: Set<String>) -> Response {
        Response.json(
            .members([
                "error": "an object or an array of objects with these members, each of its type",
                "members": .array(members.sorted().map(JSONValue.string)),
            ]), status: .badRequest)
    }

    private static func encoded(_ value: some Encodable) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = try encoder.encode(value)
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: Array(bytes))))
    }
}
