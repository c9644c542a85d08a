internal import Foundation

extension Gateway.State {
    /// `GET /api/v5/report/logs/p/otp`: what was sent and what was not, newest first, page by page (msg91.md §9.4).
    ///
    /// The days are taken as UTC's; MSG91 does not say whose they are.
    func logs(_ parameters: Parameters, now: Date) -> Answer {
        guard keyRefusal(parameters.authKey, mobile: nil) == nil else { return .unauthorized(apiError: "201") }
        guard account.ipAllowed else { return .unauthorized(apiError: "418") }
        do {
            let window = try LogWindow(parameters, now: now)
            let fields = try LogRow.fields(parameters["fields"])
            let limit = try Self.number(parameters["limit"], default: 1000, in: 1...1000, "limit")
            let rows = rows(parameters["requestId"]).filter { window.days.contains($0.day) }
            let left = try Self.number(
                parameters["paginationToken"], default: rows.count, in: 0...Int.max, "paginationToken")
            // Counted from the oldest, so that rows which came meanwhile shift nothing.
            let rest = rows.suffix(left)
            let next = rest.count > limit ? JSONValue.string("\(rest.count - limit)") : .null
            return Answer(
                body: .members([
                    "data": .array(rest.prefix(limit).map { $0.json(fields) }),
                    "metadata": .members(["total": .integer(rows.count), "paginationToken": next]),
                ]), contentType: "text/html; charset=utf-8")
        } catch {
            return .badRequest(error.sentence)
        }
    }

    /// Of the OTP section and the widgets; Flow and WhatsApp have logs of their own.
    private func rows(_ requestID: String?) -> [LogRow] {
        func belongs(_ template: String, _ request: String) -> Bool {
            (account.otpTemplates[template] ?? account.widgets[template]) != nil
                && (requestID == nil || request == requestID)
        }
        let sent = outbox.messages().filter { belongs($0.templateID, $0.requestID) }.map(LogRow.init)
        let unsent = failed.newestFirst.filter { belongs($0.templateID, $0.requestID) }.map(LogRow.init)
        return (sent + unsent).sorted { $0.date > $1.date }
    }

    private static func number(
        _ text: String?, default value: Int, in range: ClosedRange<Int>, _ name: String
    ) throws(BadSetting) -> Int {
        guard let text else { return value }
        guard let number = Int(text), range.contains(number) else { throw BadSetting(sentence: "Invalid \(name)") }
        return number
    }
}

/// The days that logs are asked for: three between first and last at most, the first at most three days ago.
private struct LogWindow {
    /// Days since 1970.
    let days: ClosedRange<Int>
    private static let longest = 3

    init(_ parameters: Parameters, now: Date) throws(BadSetting) {
        guard let startText = parameters["startDate"], let endText = parameters["endDate"] else {
            throw BadSetting(sentence: "startDate and endDate are required")
        }
        guard let start = Self.day(startText), let end = Self.day(endText), start <= end else {
            throw BadSetting(sentence: "Invalid startDate or endDate")
        }
        guard end - start <= Self.longest else {
            throw BadSetting(sentence: "Duration exceeds, allowed limit is \(Self.longest)")
        }
        guard start >= Timestamp.day(now) - Self.longest else {
            throw BadSetting(sentence: "startDate must be within the last \(Self.longest) days")
        }
        days = start...end
    }

    /// `YYYY-MM-DD`, a day that exists.
    private static func day(_ text: String) -> Int? {
        guard text.utf8.count == 10, let date = try? Date("\(text)T00:00:00Z", strategy: .iso8601),
            Timestamp.rfc3339(date).hasPrefix(text)
        else { return nil }
        return Timestamp.day(date)
    }
}

/// A message as the logs tell it; all values are strings.
private struct LogRow {
    let date: Date
    private let values: KeyValuePairs<String, String>

    init(_ message: Message) {
        self.init(
            message.receivedAt, status: "Delivered", code: "1", reason: "", arrived: true, credit: "1",
            mobile: message.mobile, requestID: message.requestID, templateID: message.templateID)
    }

    init(_ message: FailedMessage) {
        self.init(
            message.failedAt, status: "Failed", code: message.code, reason: message.reason, arrived: false,
            credit: message.wasSent ? "1" : "0", mobile: message.mobile, requestID: message.requestID,
            templateID: message.templateID)
    }

    private init(
        _ date: Date, status: String, code: String, reason: String, arrived: Bool, credit: String, mobile: String,
        requestID: String, templateID: String
    ) {
        self.date = date
        let time = Timestamp.rfc3339(date)
        values = [
            "requestDate": time, "status": status, "deliveryDate": arrived ? String(time.prefix(10)) : "",
            "deliveryTime": arrived ? time : "", "telNum": mobile, "requestId": requestID, "senderId": "PSTKEY",
            "failureReason": reason, "statusCode": code, "credit": credit, "templateID": templateID,
        ]
    }

    static let names = [
        "requestDate", "status", "deliveryDate", "deliveryTime", "telNum", "requestId", "senderId", "failureReason",
        "statusCode", "credit", "templateID",
    ]

    /// Days since 1970.
    var day: Int { Timestamp.day(date) }

    func json(_ fields: Set<String>) -> JSONValue {
        .object(values.filter { fields.contains($0.key) }.map { .init(name: $0.key, value: .string($0.value)) })
    }

    /// The fields of a comma list, all when there is none.
    static func fields(_ list: String?) throws(BadSetting) -> Set<String> {
        guard let list else { return Set(names) }
        let fields = Set(list.split(separator: ",").map { $0.filter { $0 != " " } })
        guard !fields.isEmpty, fields.isSubset(of: names) else { throw BadSetting(sentence: "Invalid fields") }
        return fields
    }
}
