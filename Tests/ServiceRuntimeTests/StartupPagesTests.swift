import Foundation
import ServiceRuntime
import Testing

@Suite struct StartupPagesTests {
    @Test func onlyCodeThatIsNeverWrittenIsGivenBack() {
        let maps = """
            55d0c0000000-55d0c0010000 r-xp 00000000 fe:00 1234   /usr/bin/service
            55d0c0010000-55d0c0020000 r--p 00010000 fe:00 1234   /usr/bin/service
            55d0c0020000-55d0c0030000 rw-p 00020000 fe:00 1234   /usr/bin/service
            7f0000000000-7f0000001000 rwxp 00000000 fe:00 9      /usr/lib/odd.so
            7f0000002000-7f0000003000 r-xp 00000000 00:00 0
            7ffc00000000-7ffc00001000 r-xp 00000000 00:00 0      [vdso]
            nonsense
            zz-1 r-xp 00000000 fe:00 1234   /usr/bin/service
            """
        #expect(StartupPages.codeMappings(in: maps) == [0x55d0_c000_0000..<0x55d0_c001_0000])
    }

    #if os(Linux)
        @Test func theProcessIsSmallerAndGoesOn() throws {
            func resident() throws -> Int {
                let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
                let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("RssFile:") })
                return try #require(line.split(separator: " ").compactMap { Int($0) }.first)
            }
            let before = try resident()
            StartupPages.giveBack()
            #expect(try resident() < before)
        }
    #endif
}
