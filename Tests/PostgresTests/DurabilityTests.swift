import Foundation
import Postgres
import PostgresTestKit
import Testing

/// The server answers a statement before it commits it; nobody may be told so.
@Suite struct DurabilityTests {
    /// A table whose commits run a block of PL/pgSQL, after the statement was executed.
    private func atCommit(_ block: String, _ database: TestDatabase) async throws {
        try await database.execute(
            """
            CREATE TABLE kept (n int8);
            CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \(block) RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON kept DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION at_commit();
            """)
    }

    @Test func aBackendThatDiesBeforeItsCommitHasAcknowledgedNothing() async throws {
        try await withTestDatabase { database in
            // With its last words the server sends what it had buffered: the answer of the statement.
            try await atCommit("PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1);", database)
            let error = await #expect(throws: PostgresError.self) {
                try await database.client.write("INSERT INTO kept VALUES (1) RETURNING n")
            }
            #expect(error?.kind == .outcomeUnknown)
            #expect(try await database.execute("SELECT count(*) FROM kept") == ["0"])
        }
    }

    @Test func aCommitThatIsRefusedIsAnError() async throws {
        try await withTestDatabase { database in
            try await database.execute(
                "CREATE TABLE u (n int8 CONSTRAINT only_one UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            let client = database.client
            for round in 0..<3 {
                _ = try? await client.write("DELETE FROM u")
                _ = try await client.write("INSERT INTO u VALUES (1)")
                let error = await #expect(throws: PostgresError.self) {
                    try await client.write("INSERT INTO u VALUES (1)")
                }
                #expect(error?.sqlState == .uniqueViolation && error?.constraint == "only_one", "round \(round)")
            }
            // The connection goes on: nothing of it was confused.
            let rows = try await client.write("SELECT count(*) FROM u").column(Int.self)
            #expect(rows == [1])
        }
    }

    @Test func anAnswerThatArrivesBeforeTheCommitIsHeldBack() async throws {
        try await withTestDatabase { database in
            // The notice pushes the answer out half a second before the commit.
            try await atCommit("RAISE NOTICE 'nearly'; PERFORM pg_sleep(0.5);", database)
            let rows = try await database.client.write("INSERT INTO kept VALUES (1) RETURNING n").column(Int.self)
            #expect(rows == [1])
            #expect(try await database.execute("SELECT count(*) FROM kept") == ["1"])
        }
    }
}
