package import Foundation
import Synchronization

/// One built executable, run as a process of its own with an environment of its own.
package final class ServiceProcess: Sendable {
    package let name: String
    package let port: Int
    package let pid: pid_t
    /// Everything it wrote, for a look after a failure and for the search for secrets.
    package let logFile: String
    private let exit = Mutex<Int32?>(nil)

    /// Starts `.build/…/<name>` beside the tests. Throws when it is not there.
    package init(_ name: String, arguments: [String] = [], environment: [String: String], port: Int = 0) throws {
        self.name = name
        self.port = port
        logFile = "/tmp/postkey-\(name)-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).log"
        let executable = ServiceProcess.directory.appendingPathComponent(name).path
        var all = environment
        all["PATH"] = ProcessInfo.processInfo.environment["PATH"]
        // No .env of the working directory may reach a test; `env` changes it and becomes the service.
        pid = try ServiceProcess.spawn(["/usr/bin/env", "-C", "/", executable] + arguments, all, logFile)
        Thread.detachNewThread { [self] in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
            exit.withLock { $0 = status }
        }
    }

    /// Beside the tests, or where `POSTKEY_EXECUTABLES` says: the same tests also judge a release build.
    private static var directory: URL {
        if let folder = ProcessInfo.processInfo.environment["POSTKEY_EXECUTABLES"] {
            return URL(fileURLWithPath: folder)
        }
        return URL(fileURLWithPath: CommandLine.arguments.first ?? "").deletingLastPathComponent()
    }

    private static func spawn(_ arguments: [String], _ environment: [String: String], _ log: String) throws -> pid_t {
        var strings: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { (strings + variables).forEach { free($0) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var child: pid_t = 0
        guard posix_spawn(&child, arguments[0], &actions, nil, &strings, &variables) == 0 else {
            throw ServiceTestError("no process for \(arguments)")
        }
        return child
    }

    package var log: String { (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? "" }

    package var isRunning: Bool { exit.withLock { $0 == nil } }

    package func send(signal: Int32) { kill(pid, signal) }

    /// Waits for the end and returns the exit code; a signal counts as 128 + its number. Throws after `limit`.
    package func exitCode(within limit: Duration = .seconds(35)) async throws -> Int32 {
        let end = ContinuousClock.now.advanced(by: limit)
        while ContinuousClock.now < end {
            if let status = exit.withLock({ $0 }) {
                return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw ServiceTestError("\(name) did not end within \(limit)")
    }

    /// Ends it the hard way, as a crash would.
    package func crash() async throws {
        send(signal: SIGKILL)
        _ = try await exitCode()
    }

    /// Resident memory in bytes, by `/proc`.
    package var residentBytes: Int {
        let statm = (try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)) ?? ""
        let pages = statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}

/// Why a test could not run its services.
package struct ServiceTestError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
