import CLibPQ
import Foundation

/// A plain session for administration: scripts of several statements, session locks, no statement timeout.
///
/// It blocks, so it lives on a thread of its own for as long as `body` runs, and only there. For migrations and tests;
/// a service's requests use ``PostgresClient``.
package final class AdministrativeSession {
    private let handle: OpaquePointer

    /// Opens a session, runs `body` on a thread of its own, and closes the session.
    ///
    /// Throws `.unavailable` when no session can be had within ten seconds, and what `body` throws.
    package static func run<Value: Sendable>(
        _ configuration: PostgresConfiguration,
        _ body: @escaping @Sendable (AdministrativeSession) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let session = try AdministrativeSession(configuration)
                        return try body(session)
                    })
            }
        }
    }

    private init(_ configuration: PostgresConfiguration) throws(PostgresError) {
        var keywords = configuration.keywords.filter { $0.keyword != "application_name" }
        keywords.append(("application_name", configuration.applicationName + "-administration"))
        if !keywords.contains(where: { $0.keyword == "connect_timeout" }) { keywords.append(("connect_timeout", "10")) }
        let names: [UnsafeMutablePointer<CChar>?] = keywords.map { strdup($0.keyword) } + [nil]
        let values: [UnsafeMutablePointer<CChar>?] = keywords.map { strdup($0.value) } + [nil]
        defer { (names + values).forEach { free($0) } }
        guard
            let handle = PQconnectdbParams(
                names.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 0)
        else { throw PostgresError(.unavailable, "no memory for a connection") }
        self.handle = handle
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        guard PQstatus(handle) == CONNECTION_OK else {
            throw PostgresError(.unavailable, AdministrativeSession.oneLine(PQerrorMessage(handle)))
        }
    }

    deinit { PQfinish(handle) }

    /// Runs a script of one or more statements; returns the first column of the last result as text.
    ///
    /// Errors carry the server's message: a script is the program's own text and holds nobody's values.
    @discardableResult
    package func execute(_ script: String) throws(PostgresError) -> [String?] {
        guard let pointer = PQexec(handle, script) else {
            throw PostgresError(.unavailable, AdministrativeSession.oneLine(PQerrorMessage(handle)))
        }
        defer { PQclear(pointer) }
        switch PQresultStatus(pointer) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            return (0..<PQntuples(pointer)).map { row in
                guard PQnfields(pointer) > 0, PQgetisnull(pointer, row, 0) == 0 else { return nil }
                return PQgetvalue(pointer, row, 0).map { String(cString: $0) }
            }
        default:
            let state = PQresultErrorField(pointer, Int32(UInt8(ascii: "C"))).map { String(cString: $0) }
            throw PostgresError(
                .server, AdministrativeSession.oneLine(PQresultErrorMessage(pointer)),
                sqlState: state.map(SQLState.init(rawValue:)))
        }
    }

    private static func oneLine(_ message: UnsafePointer<CChar>?) -> String {
        guard let message else { return "unknown" }
        return String(cString: message).split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
