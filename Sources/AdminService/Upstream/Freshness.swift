import Caching
import HTTPServer
import HTTPTypes
import Hummingbird

/// How old a reader accepts an answer to be, and how an answer says its age.
enum Freshness {
    /// Whether the request wants nothing from the cache (RFC 9111 §5.2.1.4).
    static func isBypassed(by request: Request) -> Bool {
        request.headers[values: .cacheControl].contains { value in
            value.split(separator: ",").contains { directive in
                directive.trimming { $0 == " " || $0 == "\t" }.lowercased() == "no-cache"
            }
        }
    }

    /// The `Age` of an answer (RFC 9111 §5.1).
    static func headers(age: Duration) -> HTTPFields {
        [.age: String(seconds(age))]
    }

    /// Whole seconds, at most 2³¹ (RFC 9111 §1.2.2).
    static func seconds(_ age: Duration) -> Int {
        Int(min(max((age / .seconds(1)).rounded(.down), 0), 2_147_483_648))
    }
}

extension Substring {
    fileprivate func trimming(_ isSpace: (Character) -> Bool) -> Substring {
        var rest = drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return rest
    }
}
