#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Reads times as people ask for them: a day, or RFC 3339 in UTC to the second or finer.
enum AuditTime {
    /// Nil for anything else, days and hours that do not exist included.
    static func date(_ text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard (10...27).contains(bytes.count), bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let days = days(year, month, day)
        else { return nil }
        if bytes.count == 10 { return Date(timeIntervalSince1970: Double(days) * 86_400) }
        guard let seconds = seconds(bytes[10...]) else { return nil }
        return Date(timeIntervalSince1970: Double(days) * 86_400 + seconds)
    }

    /// `THH:MM:SS[.f…]Z`.
    private static func seconds(_ part: ArraySlice<UInt8>) -> Double? {
        let bytes = Array(part)
        guard bytes.count >= 10, bytes[0] == UInt8(ascii: "T"), bytes[3] == UInt8(ascii: ":"),
            bytes[6] == UInt8(ascii: ":"), bytes.last == UInt8(ascii: "Z"),
            let hour = number(bytes[1..<3]), let minute = number(bytes[4..<6]), let second = number(bytes[7..<9]),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let fraction = bytes[9..<bytes.count - 1]
        guard !fraction.isEmpty else { return Double(hour * 3600 + minute * 60 + second) }
        let digits = fraction.dropFirst()
        guard fraction.first == UInt8(ascii: "."), (1...6).contains(digits.count), let value = number(digits) else {
            return nil
        }
        let scale = digits.reduce(1.0) { scale, _ in scale * 10 }
        return Double(hour * 3600 + minute * 60 + second) + Double(value) / scale
    }

    /// At most nine digits.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// Days since 1970 in the Gregorian calendar.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int? {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard year >= 1, (1...12).contains(month), (1...lengths[month - 1]).contains(day) else { return nil }
        let before = year - 1
        let toYear = before * 365 + before / 4 - before / 100 + before / 400
        return toYear + lengths[..<(month - 1)].reduce(0, +) + day - 1 - 719_162
    }
}
