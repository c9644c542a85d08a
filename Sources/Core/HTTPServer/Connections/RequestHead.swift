import HTTPTypes
import NIOHTTP1

/// From NIO's request heads to those of HTTPTypes, refusing what different readers would read differently.
enum RequestHead {
    /// The head as HTTPTypes has it; nil if it breaks a rule that keeps proxies and us of one mind.
    static func convert(_ head: HTTPRequestHead) -> HTTPRequest? {
        guard let method = method(head.method), let path = path(head.uri, method: method) else { return nil }
        var fields = HTTPFields()
        fields.reserveCapacity(head.headers.count)
        var authority: String?
        var hasLength = false
        for (name, value) in head.headers {
            guard let name = HTTPField.Name(name) else { return nil }
            if name.canonicalName == "host" {
                // RFC 9112 §3.2: exactly one.
                guard authority == nil else { return nil }
                authority = value
                continue
            }
            switch name {
            case .contentLength:
                guard !hasLength, !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                    return nil
                }
                hasLength = true
            case .transferEncoding:
                // RFC 9112 §6.1: nothing but chunked, never beside a length, never in HTTP/1.0.
                guard value.lowercased() == "chunked", head.version == .http1_1 else { return nil }
                guard !head.headers.contains(name: "content-length") else { return nil }
            default: break
            }
            fields.append(HTTPField(name: name, value: value))
        }
        guard authority != nil || head.version != .http1_1 else { return nil }
        return HTTPRequest(method: method, scheme: "http", authority: authority, path: path, headerFields: fields)
    }

    private static func method(_ method: HTTPMethod) -> HTTPRequest.Method? {
        switch method {
        case .GET: .get
        case .POST: .post
        case .PUT: .put
        case .PATCH: .patch
        case .DELETE: .delete
        case .HEAD: .head
        case .OPTIONS: .options
        default: HTTPRequest.Method(method.rawValue)
        }
    }

    /// The path and query of a request target (RFC 9112 §3.2); `*` only for OPTIONS, no authority form.
    private static func path(_ target: String, method: HTTPRequest.Method) -> String? {
        guard target.utf8.count <= 8192, target.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        if target.utf8.first == UInt8(ascii: "/") { return target }
        if target == "*" { return method == .options ? "*" : nil }
        for scheme in ["http://", "https://"] where target.lowercased().hasPrefix(scheme) {
            let rest = target.utf8.dropFirst(scheme.utf8.count)
            guard let start = rest.firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }) else {
                return rest.isEmpty ? nil : "/"
            }
            guard start != rest.startIndex else { return nil }
            let path = String(target[start...])
            return path.hasPrefix("/") ? path : "/" + path
        }
        return nil
    }
}
