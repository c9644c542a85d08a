/// What a call says, wherever it says it: query first, then form, then JSON; the key in a header before all.
struct Parameters: Sendable {
    private let query: [String: String]
    private let form: [String: String]
    /// The whole JSON body, for the calls that nest.
    let json: JSONValue?
    let authKey: String?
    let authKeyPosition: String

    init(query: Substring, body: [UInt8], contentType: String, authKeyHeader: String?) {
        self.query = FormEncoding.decode(query)
        let isForm = contentType.lowercased().hasPrefix("application/x-www-form-urlencoded")
        form = isForm ? FormEncoding.decode(Substring(decoding: body, as: UTF8.self)) : [:]
        json = isForm ? nil : JSONValue(body)
        if let authKeyHeader, !authKeyHeader.isEmpty {
            (authKey, authKeyPosition) = (authKeyHeader, "header")
        } else if let key = self.query["authkey"], !key.isEmpty {
            (authKey, authKeyPosition) = (key, "query")
        } else if let key = form["authkey"] ?? json?["authkey"]?.scalar, !key.isEmpty {
            (authKey, authKeyPosition) = (key, "body")
        } else {
            (authKey, authKeyPosition) = (nil, "none")
        }
    }

    /// Nil when it is absent or empty.
    subscript(name: String) -> String? {
        let value = query[name] ?? form[name] ?? json?[name]?.scalar
        return value?.isEmpty == false ? value : nil
    }

    var isRealTime: Bool { self["realTimeResponse"] == "1" }

    /// The number that the call is about, by either of its names.
    var mobile: String? { self["mobile"] ?? self["identifier"] }

    /// All scalar parameters but the keys.
    var all: [String: String] {
        var all = query.merging(form) { first, _ in first }
        if case .object(let members) = json {
            for member in members where all[member.name] == nil {
                if let value = member.value.scalar { all[member.name] = value }
            }
        }
        all["authkey"] = nil
        all["tokenAuth"] = nil
        return all
    }
}

/// `application/x-www-form-urlencoded`, also the form of a query.
enum FormEncoding {
    /// The last of equal names counts; a broken escape is taken as it stands.
    static func decode(_ text: Substring) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in text.utf8.split(separator: UInt8(ascii: "&")).prefix(1000) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first, !name.isEmpty else { continue }
            fields[unescape(name)] = parts.count > 1 ? unescape(parts[1]) : ""
        }
        return fields
    }

    private static func unescape(_ text: Substring.UTF8View) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
