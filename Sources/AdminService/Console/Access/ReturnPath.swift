import HTTPServer
import HTTPTypes
import Hummingbird

/// A path of the console that a form may lead back to.
enum ReturnPath {
    /// The path if it is one of our own pages, else the first page. A text that a browser would read as another host,
    /// `//host` or `/\host`, is none.
    static func checked(_ text: String?) -> String {
        guard let text, text.utf8.count <= 1024, text.hasPrefix("/"), !text.hasPrefix("//"),
            !text.hasPrefix("/sign-in"),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") })
        else { return "/" }
        return text
    }
}

extension Response {
    /// 303: the browser gets that page next, with GET.
    static func seeOther(_ path: String, _ headers: [HTTPField] = []) -> Response {
        var fields = HTTPFields()
        fields.append(HTTPField(name: .location, value: path))
        for header in headers { fields.append(header) }
        return .empty(.seeOther, headers: fields)
    }
}
