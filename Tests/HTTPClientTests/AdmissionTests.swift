import Testing

@testable import HTTPClient

/// The rule for who may run, without any I/O.
@Suite struct AdmissionTests {
    private func target(_ host: String) throws -> RequestTarget {
        try RequestTarget(url: "https://\(host)/", plainHTTPHosts: [])
    }

    @Test func hostsTakeTurns() throws {
        let (one, two) = (try target("one"), try target("two"))
        var admission = Admission(perHost: 2, inTotal: 3)
        #expect([1, 2, 3].map { admission.admit($0, to: one) } == [true, true, false])
        #expect([4, 5].map { admission.admit($0, to: two) } == [true, false])
        #expect(admission.finish(two) == [5], "host one is full, host two is not")
        #expect(admission.finish(one) == [3])
        #expect(admission.finish(one) == [])
        #expect([admission.admit(6, to: one)] == [true])
    }

    @Test func withdrawnOnesNeverStart() throws {
        let one = try target("one")
        var admission = Admission(perHost: 1, inTotal: 10)
        #expect([admission.admit(1, to: one)] == [true])
        #expect([admission.admit(2, to: one)] == [false])
        #expect([admission.admit(3, to: one)] == [false])
        admission.withdraw(2, from: one)
        #expect(admission.finish(one) == [3])
        #expect(admission.finish(one) == [])
        #expect([admission.admit(4, to: one)] == [true])
    }

    @Test func randomTrafficNeverExceedsALimitAndServesAll() throws {
        let targets = [try target("one"), try target("two"), try target("three")]
        var admission = Admission(perHost: 3, inTotal: 5)
        var running: [UInt64: RequestTarget] = [:]
        var waiting: [UInt64: RequestTarget] = [:]
        for id in UInt64(1)...20_000 {
            let target = targets[Int.random(in: 0..<3)]
            if admission.admit(id, to: target) { running[id] = target } else { waiting[id] = target }
            if Bool.random(), let victim = waiting.randomElement() {
                admission.withdraw(victim.key, from: victim.value)
                waiting[victim.key] = nil
            }
            if Int.random(in: 0..<10) < 7, let done = running.randomElement() {
                running[done.key] = nil
                for next in admission.finish(done.value) { running[next] = waiting.removeValue(forKey: next) }
            }
            #expect(running.count <= 5)
            for target in targets { #expect(running.values.count { $0 == target } <= 3) }
        }
        while let done = running.first {
            running[done.key] = nil
            for next in admission.finish(done.value) { running[next] = waiting.removeValue(forKey: next) }
        }
        #expect(waiting.isEmpty)
    }
}
