/// Numbers and times as pages show them.
enum Wording {
    /// `1,234,567`.
    static func number(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return value < 0 ? "−" + text : text
    }

    /// `1.2M`, `34k`, `980`: for the marks of an axis.
    static func short(_ value: Int) -> String {
        func part(_ divisor: Int, _ unit: String) -> String {
            let tenths = value / (divisor / 10)
            return tenths.isMultiple(of: 10) ? "\(tenths / 10)\(unit)" : "\(tenths / 10).\(tenths % 10)\(unit)"
        }
        return switch value {
        case 1_000_000_000...: part(1_000_000_000, "G")
        case 1_000_000...: part(1_000_000, "M")
        case 1_000...: part(1_000, "k")
        default: String(value)
        }
    }

    /// `87.5 %`; a dash if there is nothing to divide by.
    static func percent(_ part: Int, of whole: Int) -> String {
        whole > 0 ? percent(Double(part) / Double(whole)) : "–"
    }

    static func percent(_ ratio: Double) -> String {
        guard ratio.isFinite else { return "–" }
        let tenths = Int((min(max(ratio, -10), 10) * 1000).rounded())
        return "\(tenths / 10).\(abs(tenths % 10)) %"
    }

    /// `4 s`, `3 min`, `2 h`, `5 d`.
    static func seconds(_ value: Double) -> String {
        guard value.isFinite, value >= 0 else { return "–" }
        return switch value {
        case ..<10: "\(Int(value * 10) / 10).\(Int(value * 10) % 10) s"
        case ..<120: "\(Int(value)) s"
        case ..<7200: "\(Int(value / 60)) min"
        case ..<172_800: "\(Int(value / 3600)) h"
        default: "\(Int(min(value, 1e12) / 86_400)) d"
        }
    }

    /// A moment for a `time` element: the machine's text and the reader's.
    struct Moment: Sendable, Hashable {
        let machine: String
        /// To the minute; every page says that times are UTC.
        let text: String
        /// To the second, without the day.
        let clock: String
    }

    /// `24 Nov 2026, 08:05` and `08:05:09 UTC` of `2026-11-24T08:05:09.123Z`.
    static func moment(_ time: WireTime) -> Moment {
        let text = time.text
        return Moment(
            machine: text, text: "\(day(String(text.prefix(10)))), \(text.dropFirst(11).prefix(5))",
            clock: "\(text.dropFirst(11).prefix(8)) UTC")
    }

    /// `24 Nov 2026` of `2026-11-24`; any other text as it is.
    static func day(_ text: String) -> String {
        guard let (day, month) = dayAndMonth(text) else { return text }
        return "\(day) \(month) \(text.prefix(4))"
    }

    /// `24 Nov` of `2026-11-24`.
    static func shortDay(_ text: String) -> String {
        guard let (day, month) = dayAndMonth(text) else { return text }
        return "\(day) \(month)"
    }

    private static func dayAndMonth(_ text: String) -> (Int, String)? {
        let parts = text.split(separator: "-")
        guard parts.count == 3, let month = Int(parts[1]), (1...12).contains(month), let day = Int(parts[2]) else {
            return nil
        }
        return (day, months[month - 1])
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
