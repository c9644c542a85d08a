import Foundation
import HTTPClient
import Logging
import ServiceLifecycle
import Testing

/// Cancellation, limits on connections, and shutdown.
@Suite struct LifecycleTests {
    @Test func cancellationAbortsTheTransfer() async throws {
        let (asked, ended) = (Seen(false), Seen(false))
        let server = try RawServer { connection, _ in
            _ = connection.readRequest()
            asked.update { $0 = true }
            connection.waitForEnd()
            ended.update { $0 = true }
        }
        defer { server.stop() }
        let url = server.url
        try await withClient { client in
            let started = ContinuousClock.now
            let task = Task { await client.failure(post(url), timeout: .seconds(30)) }
            while !asked.value { try await Task.sleep(for: .milliseconds(5)) }
            task.cancel()
            #expect(await task.value == .cancelled(maybeSent: true))
            #expect(started.duration(to: .now) < .seconds(15))
            // The connection itself is closed, not only forgotten.
            for _ in 0..<2000 where !ended.value { try await Task.sleep(for: .milliseconds(5)) }
            #expect(ended.value)

            let early = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await client.failure(post(url))
            }
            #expect(await early.value == .cancelled(maybeSent: false))
        }
    }

    @Test func manyRequestsShareFewConnections() async throws {
        let server = try RawServer.answering(ok)
        defer { server.stop() }
        let url = server.url
        try await withClient(HTTPClientConfiguration(connectionsPerHost: 4)) { client in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<200 {
                    group.addTask { try await client.send(post(url), timeout: .seconds(10)).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 200, count: 200))
        }
        #expect(server.connections <= 4)
    }

    @Test func theWaitForAConnectionIsPartOfTheTimeout() async throws {
        let server = try RawServer { connection, _ in connection.waitForEnd() }
        defer { server.stop() }
        let url = server.url
        try await withClient(HTTPClientConfiguration(connectionsPerHost: 1)) { client in
            let first = Task { await client.failure(post(url), timeout: .seconds(60)) }
            while server.connections == 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(await client.failure(post(url), timeout: .milliseconds(100)) == .timeout(maybeSent: false))
            let waiting = Task { await client.failure(post(url), timeout: .seconds(30)) }
            try await Task.sleep(for: .milliseconds(50))
            waiting.cancel()
            #expect(await waiting.value == .cancelled(maybeSent: false))
            first.cancel()
            #expect(await first.value?.maybeSent != nil)
        }
        #expect(server.connections == 1)
    }

    @Test func gracefulShutdownLetsRequestsFinish() async throws {
        let server = try RawServer { connection, _ in
            guard connection.readRequest() != nil else { return }
            usleep(300_000)
            connection.write(ok)
        }
        defer { server.stop() }
        let url = server.url
        let client = HTTPClient(configuration: HTTPClientConfiguration(), logger: Logger(label: "test"))
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [client], logger: Logger(label: "test")))
        let running = Task { try await group.run() }
        let request = Task { try await client.send(post(url), timeout: .seconds(5)).status }
        while server.connections == 0 { try await Task.sleep(for: .milliseconds(5)) }
        await group.triggerGracefulShutdown()
        #expect(try await request.value == 200)
        try await running.value
        #expect(await client.failure(post(url)) == .stopped(maybeSent: false))
    }

    @Test func cancelledRunAbortsRequests() async throws {
        let asked = Seen(false)
        let server = try RawServer { connection, _ in
            _ = connection.readRequest()
            asked.update { $0 = true }
            connection.waitForEnd()
        }
        defer { server.stop() }
        let url = server.url
        let client = HTTPClient(configuration: HTTPClientConfiguration(), logger: Logger(label: "test"))
        let running = Task { try await client.run() }
        let request = Task { await client.failure(post(url), timeout: .seconds(30)) }
        while !asked.value { try await Task.sleep(for: .milliseconds(5)) }
        running.cancel()
        try await running.value
        #expect(await request.value?.maybeSent == true)
    }
}
