import Foundation
package import Postgres
import Synchronization

/// A private PostgreSQL server of the test process: a temporary directory, a Unix socket and a loopback port.
///
/// One is shared by all tests that leave it alone; a test that crashes or restarts its server makes one of its own.
/// A watcher process removes it when the tests end, however they end. As root the server runs as `postgres`.
package final class TestCluster: Sendable {
    package static let shared = Result { try TestCluster() }

    package let directory: String
    package let port: Int
    private let keep = Mutex(false)

    /// Makes a server and starts it. Throws `TestClusterError`.
    package init() throws {
        // Short, because a Unix socket's path may have at most 107 bytes.
        directory = "/tmp/postkey-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        port = try TestCluster.freePort()
        try TestCluster.shell(TestCluster.createScript, directory, "\(port)", "\(getpid())")
    }

    /// A connection string of a database of this cluster, over the Unix socket.
    package func url(_ database: String) -> String {
        "postgresql:///\(database)?host=\(directory)&port=\(port)&user=postgres"
    }

    /// The same over TCP, for tests that put something between.
    package func tcpURL(_ database: String, port: Int? = nil) -> String {
        "postgresql://postgres@127.0.0.1:\(port ?? self.port)/\(database)"
    }

    package func configuration(_ database: String) throws -> PostgresConfiguration {
        try PostgresConfiguration(url: url(database), applicationName: "tests", poolSize: 8)
    }

    /// Runs a script in a database.
    @discardableResult
    package func execute(_ script: String, in database: String = "postgres") async throws -> [String?] {
        try await AdministrativeSession.run(configuration(database)) { try $0.execute(script) }
    }

    /// Stops the server the way `pg_ctl` knows it, `fast` or `immediate`, and starts it again.
    package func restart(_ mode: String) async throws { try await control("-w -t 60 -m \(mode) restart") }

    /// Stops the server for good.
    package func stop() async throws { try await control("-m immediate stop") }

    /// On a thread of its own, for it waits.
    private func control(_ command: String) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread { [directory] in
                continuation.resume(
                    with: Result { try TestCluster.shell(TestCluster.controlScript, directory, command) })
            }
        }
    }

    /// Turns TLS on for TCP with a certificate of its own for `localhost`; returns the certificate's path.
    package func enableTLS() async throws -> String {
        // The server's user must own the key, so the server makes it; its working directory is the data directory.
        try await execute(
            """
            COPY (SELECT '') TO PROGRAM 'openssl req -x509 -newkey rsa:2048 -nodes -keyout server.key -out server.crt \
            -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null \
            && chmod 600 server.key && cp server.crt ../server.crt && chmod 644 ../server.crt'
            """)
        try await execute("ALTER SYSTEM SET ssl = on")
        try await execute("SELECT pg_reload_conf()")
        for _ in 0..<100 where try await execute("SHOW ssl").first != "on" {
            try await Task.sleep(for: .milliseconds(20))
        }
        return directory + "/server.crt"
    }

    /// Leaves the files behind for a look after a failure.
    func keepFiles(for database: String) {
        _ = FileManager.default.createFile(atPath: directory + "/keep", contents: nil)
        FileHandle.standardError.write(
            Data(
                """
                kept database \(database): start its server with
                  postgres -D \(directory)/data -k \(directory) -p \(port)    (as the user who owns it)
                and look with
                  psql '\(url(database))'

                """.utf8))
    }

    /// A port that nothing listens on and that this process has not handed out before.
    ///
    /// Below the range that the kernel takes for outgoing connections, or one of those could sit on it later.
    package static func freePort() throws -> Int {
        for _ in 0..<200 {
            let port = Int.random(in: 20_000..<32_000)
            if handedOut.withLock({ $0.insert(port).inserted }) && isFree(port) { return port }
        }
        throw TestClusterError("no free port")
    }

    private static let handedOut = Mutex<Set<Int>>([])

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return LoopbackAddress.with(port: port) { bind(descriptor, $0, $1) } == 0
    }

    /// Runs a script and waits for it. Not by `Process`, which waits for the watcher and the server too.
    private static func shell(_ script: String, _ arguments: String...) throws {
        var strings: [UnsafeMutablePointer<CChar>?] =
            (["/bin/bash", "-c", script, "postkey-test-cluster"] + arguments).map { strdup($0) } + [nil]
        defer { strings.forEach { free($0) } }
        var child: pid_t = 0
        guard posix_spawn(&child, "/bin/bash", nil, nil, &strings, environ) == 0 else {
            throw TestClusterError("bash cannot be started")
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) == -1 && errno == EINTR {}
        guard status == 0 else { throw TestClusterError("no PostgreSQL for the tests; the lines above say why") }
    }

    private static let controlScript = #"""
        set -euo pipefail
        dir=$1
        bin=$(ls -d /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql@*/bin 2>/dev/null | sort -V | tail -1 || true)
        [ -n "$bin" ] || bin=$(dirname "$(command -v initdb)")
        as=()
        if [ "$(id -u)" = 0 ]; then as=(runuser -u postgres --); fi
        cd "$dir"
        # shellcheck disable=SC2086 # The words of the command.
        "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -s -l "$dir/log" $2 </dev/null >/dev/null
        """#

    private static let createScript = #"""
        set -euo pipefail
        dir=$1 port=$2 parent=$3
        bin=$(ls -d /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql@*/bin 2>/dev/null | sort -V | tail -1 || true)
        [ -n "$bin" ] || bin=$(dirname "$(command -v initdb || true)")
        [ -x "$bin/initdb" ] || { echo "initdb not found: install a PostgreSQL server" >&2; exit 1; }
        as=()
        mkdir -p "$dir"; chmod 755 "$dir"
        if [ "$(id -u)" = 0 ]; then as=(runuser -u postgres --); chown postgres "$dir"; fi
        cd "$dir"
        "${as[@]}" "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale -N >/dev/null
        "${as[@]}" tee -a "$dir/data/postgresql.conf" >/dev/null <<CONF
        listen_addresses = '127.0.0.1'
        port = $port
        unix_socket_directories = '$dir'
        max_connections = 1000
        shared_buffers = 64MB
        fsync = off
        full_page_writes = off
        log_min_messages = panic
        CONF
        "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -w -t 30 -s -l "$dir/log" start </dev/null >/dev/null
        (
            while kill -0 "$parent" 2>/dev/null; do sleep 0.5; done
            "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate -s stop
            [ -e "$dir/keep" ] || rm -rf "$dir"
        ) </dev/null >/dev/null 2>&1 &
        """#
}

/// Why there is no server for the tests.
package struct TestClusterError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
