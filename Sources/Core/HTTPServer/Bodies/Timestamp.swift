package import FoundationEssentials

/// Times as text, without a formatter: it is on the way of every log line and many answers.
package enum Timestamp {
    /// RFC 3339 in UTC with milliseconds: `2026-11-24T08:45:00.000Z`. Years 1 to 9999; times outside are brought to their ends.
    ///
    /// Rounded down; half a microsecond, the least step of our times, keeps a whole millisecond from losing one to binary
    /// fractions.
    package static func text(_ date: Date) -> String {
        let milliseconds = (date.timeIntervalSince1970 * 1000 + 0.0005).rounded(.down)
        return text(
            millisecondsSince1970: Int64(min(max(milliseconds, -62_135_596_800_000), 253_402_300_799_999)))
    }

    /// The same from milliseconds since 1970 in UTC.
    package static func text(millisecondsSince1970 value: Int64) -> String {
        String(unsafeUninitializedCapacity: 24) { buffer in
            write(millisecondsSince1970: value, into: UnsafeMutableRawBufferPointer(buffer))
            return 24
        }
    }

    /// Appends the 24 bytes of the text.
    package static func append(millisecondsSince1970 value: Int64, to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: 24, alignment: 1) { buffer in
            write(millisecondsSince1970: value, into: buffer)
            bytes.append(contentsOf: buffer)
        }
    }

    private static func write(millisecondsSince1970 value: Int64, into buffer: UnsafeMutableRawBufferPointer) {
        let clamped = min(max(value, -62_135_596_800_000), 253_402_300_799_999)
        let days = Int((clamped / 86_400_000) - (clamped % 86_400_000 < 0 ? 1 : 0))
        let rest = Int(clamped - Int64(days) * 86_400_000)
        let (year, month, day) = civil(days)
        func put(_ number: Int, _ position: Int, _ width: Int) {
            var number = number
            for index in stride(from: position + width - 1, through: position, by: -1) {
                buffer[index] = UInt8(truncatingIfNeeded: 0x30 + number % 10)
                number /= 10
            }
        }
        put(year, 0, 4)
        put(month, 5, 2)
        put(day, 8, 2)
        put(rest / 3_600_000, 11, 2)
        put(rest / 60_000 % 60, 14, 2)
        put(rest / 1000 % 60, 17, 2)
        put(rest % 1000, 20, 3)
        for (index, byte) in [(4, 0x2D), (7, 0x2D), (10, 0x54), (13, 0x3A), (16, 0x3A), (19, 0x2E), (23, 0x5A)] {
            buffer[index] = UInt8(byte)
        }
    }

    /// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar (Hinnant, *chrono-compatible
    /// low-level date algorithms*).
    private static func civil(_ days: Int) -> (Int, Int, Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthShifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthShifted + 2) / 5 + 1
        let month = monthShifted < 10 ? monthShifted + 3 : monthShifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
