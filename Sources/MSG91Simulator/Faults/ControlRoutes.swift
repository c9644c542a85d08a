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
            try await Self.change(request) { (body) throws(BadSetting) in
                gateway.setFaults(try Fault.read(body))
                return gateway.faults()
            }
        }
        router.delete("/faults") { _, _ in
            gateway.setFaults([])
            return Response(status: .noContent)
        }
    }

    private func addAccount(to router: Router<SimulatorContext>) {
        router.get("/account") { _, _ in try Self.encoded(gateway.account()) }
        router.put("/account") { request, _ in
            try await Self.change(request) { (body) throws(BadSetting) in
                let account = try gateway.account().merging(body)
                gateway.updateAccount { $0 = account }
                return account
            }
        }
        router.get("/reporting") { _, _ in try Self.encoded(gateway.reporting()) }
        router.put("/reporting") { request, _ in
            try await Self.change(request) { (body) throws(BadSetting) in
                let settings = try Reporting.read(body)
                guard settings.count == 1, let reporting = settings.first else {
                    throw BadSetting(sentence: "one object")
                }
                gateway.setReporting(reporting)
                return reporting
            }
        }
    }

    /// Answers with what is now in force, or with why nothing was changed.
    private static func change<Value: Encodable>(
        _ request: Request, _ apply: ([UInt8]) throws(BadSetting) -> Value
    ) async throws -> Response {
        let body = Array(try await request.body.collect(upTo: 256 << 10).readableBytesView)
        do {
            return try encoded(try apply(body))
        } catch let refused as BadSetting {
            var answer: [JSONValue.Member] = [.init(name: "error", value: .string(refused.sentence))]
            if !refused.members.isEmpty {
                answer.append(.init(name: "members", value: .array(refused.members.map(JSONValue.string))))
            }
            return Response.json(.object(answer), status: .badRequest)
        }
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
