import Foundation
import ServiceLifecycle

/// Gives back the memory that only starting needed.
///
/// Starting walks through most of the executable, because the Swift runtime looks at every conformance in it. One second
/// after the service could begin to work its code is unmapped; it stays in the page cache, and what is used again is
/// mapped again by a minor fault. About half of the resident memory of an idle service goes, and none of it is missed.
package struct StartupPages: Service {
    let gate: SchemaGate

    package func run() async throws {
        let gate = gate
        try? await cancelWhenGracefulShutdown {
            try await gate.opening()
            try await Task.sleep(for: .seconds(1))
            StartupPages.giveBack()
        }
        try? await gracefulShutdown()
    }

    /// Unmaps the code of the executable and its libraries. Does nothing where there is no `/proc`.
    package static func giveBack() {
        #if os(Linux)
            guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8) else { return }
            for range in codeMappings(in: maps) {
                _ = madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED)
            }
        #endif
    }

    /// The executable, never writable mappings of files (proc(5), `/proc/pid/maps`): they hold nothing that the file does not.
    package static func codeMappings(in maps: String) -> [Range<UInt>] {
        maps.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count >= 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { return nil }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, ends[0] > 0, ends[0] < ends[1] else { return nil }
            return ends[0]..<ends[1]
        }
    }
}
