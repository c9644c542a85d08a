internal import Foundation

/// MSG91's request ids: 24 hex digits that spell 12 ASCII characters, of which the first six are the time in India.
///
/// Year digit, month, day, hour, minute, second as one character each, then six of a mixed alphabet; read off
/// published samples ("5gslSQ…" is 2025-07-19 12:45:43 IST).
struct RequestID {
    /// Zero, then a is 1, z 26, A 27; digits where the letters end, which no sample shows.
    private static let clock = Array("0abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567".utf8)
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
    private static let hexadecimal = Array("0123456789abcdef".utf8)

    static func make(at date: Date) -> String {
        let seconds = Int(date.timeIntervalSince1970) + 19_800
        let (year, month, day) = civilDate(daysSince1970: seconds / 86_400)
        let second = seconds % 86_400
        var characters = [UInt8(ascii: "0") + UInt8(clamping: year % 10)]
        characters += [month, day, second / 3600, second / 60 % 60, second % 60].map { clock[$0 % clock.count] }
        characters += (0..<6).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] }
        return String(
            decoding: characters.flatMap { [hexadecimal[Int($0 >> 4)], hexadecimal[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The Gregorian date of a day number, counted in eras of 400 years that begin in March.
    private static func civilDate(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
