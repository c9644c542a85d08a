import HTTPServer
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        ("203.0.113.9", "203.0.113.9"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ("::", "::"), ("::1", "::1"), ("2001:DB8::1", "2001:db8::1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:cb00:7109", "203.0.113.9"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1::", "1::"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ])
    func addressesAreReadAndWritten(_ text: String, _ written: String) throws {
        #expect(try #require(IPAddress(text)).description == written)
    }

    @Test(arguments: [
        "", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "0x7f.0.0.1", "2130706433", "1.2.3.-4",
        "1.2.3.٤",
        ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g", "fe80::1%eth0", "[::1]",
        "::1.2.3",
        "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "1:", ":1", "localhost", "unknown",
        String(repeating: "1", count: 10_000), String(repeating: ":", count: 45),
    ])
    func whatIsNoAddressIsRefused(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3/8", "10.9.9.9", true),
        ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false), ("203.0.113.9", "203.0.113.9", true),
        ("203.0.113.9", "203.0.113.10", false), ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("::1/128", "::1", true),
        ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
        ("2001:db8::1:0/112", "2001:db8::1:ffff", true), ("2001:db8::1:0/112", "2001:db8::2:0", false),
        ("203.0.113.8/31", "203.0.113.9", true),
    ])
    func rangesContain(_ range: String, _ address: String, _ expected: Bool) throws {
        #expect(try #require(AddressRange(range)).contains(try #require(IPAddress(address))) == expected)
    }

    @Test(arguments: [
        "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/8/8", "/8", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8x", "10/8",
    ])
    func whatIsNoRangeIsRefused(_ text: String) {
        #expect(AddressRange(text) == nil)
        #expect(AddressRange.list("127.0.0.0/8, \(text)").invalid == [text])
    }

    private static let proxies = AddressRange.list("127.0.0.0/8, ::1/128, 10.0.0.0/8").ranges

    private func client(_ peer: String, _ forwardedFor: [String]) throws -> String {
        let address = try #require(IPAddress(peer))
        return ClientAddress(peer: address, forwardedFor: forwardedFor, trusting: Self.proxies).description
    }

    @Test func aPeerThatIsNoProxyIsTheClient() throws {
        #expect(try client("203.0.113.9", ["198.51.100.1"]) == "203.0.113.9")
        #expect(try client("203.0.113.9", []) == "203.0.113.9")
        #expect(try client("127.0.0.1", []) == "127.0.0.1")
    }

    @Test func theRightmostUntrustedHopIsTheClient() throws {
        #expect(try client("127.0.0.1", ["198.51.100.1"]) == "198.51.100.1")
        // What the client itself wrote stands to the left.
        #expect(try client("127.0.0.1", ["1.1.1.1, 198.51.100.1, 10.0.0.7"]) == "198.51.100.1")
        #expect(try client("127.0.0.1", ["1.1.1.1", "198.51.100.1", "10.0.0.7"]) == "198.51.100.1")
        // All trusted: the farthest.
        #expect(try client("127.0.0.1", ["10.0.0.1, 10.0.0.2"]) == "10.0.0.1")
    }

    @Test(arguments: [
        "unknown", "", ",", "198.51.100.1,", "198.51.100.1, _hidden", "198.51.100.1, 1.2.3.4.5",
        "198.51.100.1, 127.0.0.1:x",
        "198.51.100.1, [::1", "198.51.100.1, [::1]x",
    ])
    func aHopThatIsNoAddressEndsTheSearchAtTheProxy(_ header: String) throws {
        #expect(try client("127.0.0.1", [header]) == "127.0.0.1")
    }

    @Test(arguments: [
        ("198.51.100.1:1234", "198.51.100.1"), (" \t198.51.100.1 ", "198.51.100.1"),
        ("[2001:db8:1:2:3::4]:443", "2001:db8:1:2::/64"), ("[2001:db8:1:2:3::4]", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("::ffff:198.51.100.1", "198.51.100.1"),
    ])
    func hopsAreReadAsProxiesWriteThem(_ header: String, _ expected: String) throws {
        #expect(try client("::1", [header]) == expected)
    }

    @Test func addressesOfOneNetworkAreOneClient() throws {
        #expect(try client("2001:db8::1", []) == "2001:db8::/64")
        #expect(try client("2001:db8::ffff:1", []) == "2001:db8::/64")
        #expect(try client("2001:db8:0:1::1", []) == "2001:db8:0:1::/64")
        #expect(try client("::ffff:203.0.113.9", []) == "203.0.113.9")
    }

    @Test func endlessChainsCostLittle() throws {
        let trusted = Array(repeating: "10.0.0.1", count: 100_000).joined(separator: ",")
        let clock = ContinuousClock()
        let time = clock.measure {
            #expect((try? client("127.0.0.1", ["1.1.1.1," + trusted])) == "10.0.0.1")
            #expect((try? client("127.0.0.1", [String(repeating: ",", count: 1_000_000)])) == "127.0.0.1")
        }
        #expect(time < .seconds(15))
    }
}
