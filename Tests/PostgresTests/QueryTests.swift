import Foundation
import Postgres
import PostgresTestKit
import Testing

@Suite struct QueryTests {
    @Test func interpolationBindsAndNeverBecomesSQL() async throws {
        try await withTestDatabase { database in
            let hostile = "x'); DROP TABLE t; --"
            let rows = try await database.client.read("SELECT \(hostile), length(\(hostile))")
            let (text, length) = try #require(rows.first).decode((String, Int32).self)
            #expect(text == hostile)
            #expect(Int(length) == hostile.count)
            #expect(PostgresQuery("SELECT \(1), \(unescaped: "now()")").sql == "SELECT $1, now()")
        }
    }

    @Test func everyTypeMakesTheRoundTrip() async throws {
        try await withTestDatabase { database in
            let id = UUID()
            let date = Date(timeIntervalSince1970: 1_790_000_000.123456)
            let none: String? = nil
            let rows = try await database.client.read(
                """
                SELECT \(true), \(Int16.min), \(Int32.min), \(Int.min), \(1.5e300), \("ü😀"), \(id), \(date),
                       \([0, 255] as [UInt8]), \(none), \("")
                """)
            let row = try #require(rows.first).decode(
                (Bool, Int16, Int32, Int, Double, String, UUID, Date, [UInt8], String?, String).self)
            #expect(row.0 && row.1 == .min && row.2 == .min && row.3 == .min && row.4 == 1.5e300)
            #expect(row.5 == "ü😀" && row.6 == id && abs(row.7.timeIntervalSince(date)) < 0.000_002)
            #expect(row.8 == [0, 255] && row.9 == nil && row.10 == "")
        }
    }

    @Test func arraysMakeTheRoundTrip() async throws {
        try await withTestDatabase { database in
            let ids = [UUID(), UUID()]
            let rows = try await database.client.read(
                "SELECT \(ids), \([1, 2, 3]), \(["a", ""]), \([] as [Int]), \([[1], []] as [[UInt8]])")
            let row = try #require(rows.first).decode(([UUID], [Int], [String], [Int], [[UInt8]]).self)
            #expect(row.0 == ids && row.1 == [1, 2, 3] && row.2 == ["a", ""] && row.3 == [] && row.4 == [[1], []])
            let found = try await database.client.read(
                "SELECT n FROM generate_series(1::int8, 9) n WHERE n = any(\([2, 4]))")
            #expect(try found.column(Int.self) == [2, 4])
        }
    }

    @Test func aWrongShapeIsADecodingError() async throws {
        try await withTestDatabase { database in
            let rows = try await database.client.read("SELECT 1::int8, NULL::text")
            let row = try #require(rows.first)
            #expect(throws: PostgresError.self) { try row.decode(Int.self) }
            #expect(throws: PostgresError.self) { try row.decode((String, String?).self) }
            #expect(throws: PostgresError.self) { try row.decode((Int, String).self) }
            #expect(throws: PostgresError.self) { try row.decode(column: 2, as: Int.self) }
            #expect(throws: PostgresError.self) { try row.decode(column: -1, as: Int.self) }
        }
    }

    @Test func datesOutsideOfTheServersRangeBecomeInfinity() async throws {
        try await withTestDatabase { database in
            let rows = try await database.client.read(
                "SELECT \(Date(timeIntervalSince1970: 1e300))::text, 'infinity'::timestamptz, '-infinity'::timestamptz")
            let (text, future, past) = try #require(rows.first).decode((String, Date, Date).self)
            #expect(text == "infinity" && future == .distantFuture && past == .distantPast)
        }
    }

    @Test func errorsNameTheConstraintAndHideTheValue() async throws {
        try await withTestDatabase { database in
            try await database.execute("CREATE TABLE t (phone text CONSTRAINT phone_is_unique UNIQUE)")
            let secret = "+919876543210"
            _ = try await database.client.write("INSERT INTO t VALUES (\(secret))")
            let error = await #expect(throws: PostgresError.self) {
                try await database.client.write("INSERT INTO t VALUES (\(secret))")
            }
            #expect(error?.kind == .server && error?.sqlState == .uniqueViolation)
            #expect(error?.constraint == "phone_is_unique")
            #expect(error.map { "\($0)".contains("9876") } == false)
        }
    }
}
