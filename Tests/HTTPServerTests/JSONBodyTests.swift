import HTTPServer
import Testing

private struct SendBody: JSONBody {
    static let members: Set<String> = ["phone", "count", "flag", "ratio", "inner", "list"]
    struct Inner: Decodable, Sendable { let a: String }
    let phone: String
    let count: Int?
    let flag: Bool?
    let ratio: Double?
    let inner: Inner?
    let list: [String]?
}

@Suite struct JSONBodyTests {
    private func decode(_ text: String) throws(Problem) -> SendBody {
        try JSONBodies.decode(SendBody.self, from: Array(text.utf8))
    }

    /// The one field error of a body; nil if it was accepted.
    private func error(_ text: String) -> FieldError? { error(Array(text.utf8)) }

    private func error(_ bytes: [UInt8]) -> FieldError? {
        do throws(Problem) {
            _ = try JSONBodies.decode(SendBody.self, from: bytes)
            return nil
        } catch {
            #expect(error.type == .invalidRequest)
            #expect(error.errors.count == 1)
            return error.errors.first
        }
    }

    @Test func aGoodBodyIsRead() throws {
        let body = try decode(
            #" { "phone" : "+91é\u00e9\ud83d\ude00\n" , "count":-3, "flag":true,"ratio":1.5e2,"list":["a"],"inner":{"a":"b"}} "#
        )
        #expect(body.phone == "+91éé😀\n")
        #expect(body.count == -3)
        #expect(body.ratio == 150)
        #expect(body.inner?.a == "b")
        #expect(body.list == ["a"])
    }

    @Test func nameEscapesAreThatName() throws {
        #expect(try decode(#"{"\u0070hone":"x"}"#).phone == "x")
    }

    @Test(arguments: [
        (#"{"phone":"1","pone":"1"}"#, "pone", "is not a member of this request"),
        (#"{"phone":"1","<script>":1}"#, "(unprintable)", "is not a member of this request"),
        (#"{"phone":"1","phone":"2"}"#, "phone", "must not hold the same name twice"),
        (#"{"phone":"1","\u0070hone":"2"}"#, "phone", "must not hold the same name twice"),
        (#"{"phone":"1","inner":{"a":"1","a":"2"}}"#, "inner", "must not hold the same name twice"),
        ("{}", "phone", "is required"),
        (#"{"phone":null}"#, "phone", "must be a string"),
        (#"{"phone":7}"#, "phone", "must be a string"),
        (#"{"phone":["1"]}"#, "phone", "must be a string"),
        (#"{"phone":{}}"#, "phone", "must be a string"),
        (#"{"phone":"1","count":"1"}"#, "count", "must be a whole number within its range"),
        (#"{"phone":"1","flag":1}"#, "flag", "must be true or false"),
        (#"{"phone":"1","ratio":"x"}"#, "ratio", "must be a number"),
        (#"{"phone":"1","inner":{}}"#, "inner.a", "is required"),
        (#"{"phone":"1","list":"x"}"#, "list", "must be an array"),
        (#"{"phone":"a\u0000b"}"#, "phone", "must not contain the character NUL"),
    ])
    func theFieldAtFaultIsNamed(_ text: String, _ field: String, _ message: String) {
        #expect(error(text) == FieldError(field, message))
    }

    @Test(arguments: ["1e400", "99999999999999999999", "1.5", "-9223372036854775809", "1e30"])
    func absurdNumbersAreRefused(_ number: String) {
        #expect(error(#"{"phone":"1","count":\#(number)}"#)?.field == "count")
    }

    @Test func endlessNumbersAreRefused() {
        let number = String(repeating: "9", count: 10_000)
        #expect(error(#"{"phone":"1","count":\#(number)}"#) == FieldError("count", "is too long a number"))
    }

    @Test(arguments: [
        "", " ", "null", "[]", "\"x\"", "1", "{", "}", "{]", "[}", #"{"phone"}"#, #"{"phone":}"#, #"{"phone":"1",}"#,
        #"{,"phone":"1"}"#,
        #"{"phone":"1"}{}"#, #"{"phone":"1"} x"#, #"{'phone':'1'}"#, #"{phone:"1"}"#, #"{"phone":"1"/**/}"#,
        #"{"phone":"1" "count":1}"#,
        #"{"phone":"a"#, #"{"phone":"\x"}"#, #"{"phone":"\u12"}"#, #"{"phone":"\ud800"}"#, #"{"phone":"\ud800\u0041"}"#,
        #"{"phone":"\udc00"}"#,
        "{\"phone\":\"a\nb\"}", "{\"phone\":\"a\u{1}b\"}", #"{"phone":"1","count":0x10}"#,
        #"{"phone":"1","count":NaN}"#,
        #"{"phone":"1","count":Infinity}"#, #"{"phone":"1","count":01}"#, #"{"phone":"1","count":+1}"#,
        #"{"phone":"1","count":1.}"#,
        #"{"phone":"1","count":.5}"#, #"{"phone":"1","count":-}"#, #"{"phone":"1","count":1e}"#,
        #"{"phone":"1","flag":tru}"#,
        #"{"phone":"1","flag":True}"#, #"{"phone":"1":"2"}"#, #"{"phone":"1";"count":1}"#, "[{\"phone\":\"1\"}]",
    ])
    func whatIsNoObjectOrNoJSONIsRefused(_ text: String) {
        #expect(error(text) != nil)
    }

    @Test func everyTruncationIsRefused() {
        let whole = Array(#"{"phone":"+9\u0031é","count":12,"flag":true,"inner":{"a":"b"},"list":["x","y"]}"#.utf8)
        #expect(error(whole) == nil)
        for size in 0..<whole.count { #expect(error(Array(whole.prefix(size))) != nil) }
    }

    @Test(
        arguments: [[0xC0, 0x80], [0xFF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80]]
            as [[UInt8]])
    func badUTF8IsRefused(_ bytes: [UInt8]) {
        #expect(error(Array(#"{"phone":""#.utf8) + bytes + Array(#""}"#.utf8)) == FieldError("", "must be UTF-8"))
    }

    @Test func aByteOrderMarkIsRefused() {
        #expect(error("\u{FEFF}{\"phone\":\"1\"}") == FieldError("", "must not begin with a byte order mark"))
    }

    @Test(arguments: ["[", "{\"a\":", "[{\"a\":"])
    func depthIsBoundedWithoutRecursion(_ opening: String) {
        let nest = String(repeating: opening, count: 100_000)
        let time = ContinuousClock().measure {
            #expect(error(nest) != nil)
            #expect(error(#"{"list":"# + nest) == FieldError("list", "is nested too deeply"))
        }
        // A fiftieth of this on an idle machine; a decoder that recursed would not get here at all.
        #expect(time < .seconds(10))
    }

    @Test func manyMembersAreRefusedAtOnce() {
        let members = (0..<3000).map { "\"k\($0)\":1" }.joined(separator: ",")
        #expect(error("{\(members)}") == FieldError("k0", "is not a member of this request"))
        #expect(error(#"{"phone":"1","inner":{\#(members)}}"#) == FieldError("inner", "has too many members"))
    }

    @Test func randomBytesNeverTrap() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array(#"{}[]",:0123456789.eE+-\utrfalsn "phonecut"#.utf8) + [0, 0x80, 0xFF, 0xE2]
        for _ in 0..<20_000 {
            let size = Int.random(in: 0..<40, using: &generator)
            let bytes = (0..<size).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            _ = try? JSONBodies.decode(SendBody.self, from: Array("{\"phone\":".utf8) + bytes)
            _ = try? JSONBodies.check(bytes)
        }
    }
}
