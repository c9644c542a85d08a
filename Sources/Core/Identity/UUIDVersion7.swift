#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

extension UUID {
    /// Makes a UUID that sorts by its time of creation (RFC 9562 §5.7).
    ///
    /// The twelve bits after the milliseconds are the fraction of the millisecond (§6.2 method 3), so that rows made
    /// in quick succession sit side by side in an index; the remaining 62 are random.
    package static func version7(at time: Date = Date()) -> UUID {
        let milliseconds = max(0, min(time.timeIntervalSince1970 * 1000, 0xFFFF_FFFF_FFFF))
        let whole = UInt64(milliseconds)
        let fraction = UInt64((milliseconds - Double(whole)) * 4096) & 0xFFF
        let high = whole << 16 | 0x7000 | fraction
        let low = UInt64.random(in: .min ... .max) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return UUID(
            uuid: (
                byte(high, 56), byte(high, 48), byte(high, 40), byte(high, 32),
                byte(high, 24), byte(high, 16), byte(high, 8), byte(high, 0),
                byte(low, 56), byte(low, 48), byte(low, 40), byte(low, 32),
                byte(low, 24), byte(low, 16), byte(low, 8), byte(low, 0)
            ))
    }

    private static func byte(_ word: UInt64, _ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> shift) }

    /// The 36-character form in lower case; `uuidString` is in upper case, and a second pass over it costs more than
    /// this.
    package var lowercaseText: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            withUnsafeBytes(of: uuid) { bytes in
                for (index, byte) in bytes.enumerated() {
                    if index == 4 || index == 6 || index == 8 || index == 10 {
                        buffer[position] = UInt8(ascii: "-")
                        position += 1
                    }
                    buffer[position] = hexadecimal(byte >> 4)
                    buffer[position + 1] = hexadecimal(byte & 0xF)
                    position += 2
                }
            }
            return position
        }
    }
}

private func hexadecimal(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }
