import Testing

@testable import Caching

@Suite("Eviction")
struct EntryTableTests {
    @Test("never over capacity, in count and in cost, and the sums are right")
    func bounds() {
        var table = EntryTable<Int, Int>(capacity: 100)
        var random = SystemRandomNumberGenerator()
        var model: [Int: Int] = [:]
        for _ in 0..<20_000 {
            let key = Int.random(in: 0..<300, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: #expect((table.remove(key) != nil) == (model.removeValue(forKey: key) != nil))
            case 1...4: #expect(table.use(key).map { $0 % 1000 } == model[key].map { _ in key })
            default:
                let cost = Int.random(in: 1...9, using: &random)
                model[key] = cost
                for gone in table.insert(key, for: key, cost: cost) {
                    #expect(model.removeValue(forKey: gone.key) != nil)
                }
            }
            #expect(table.cost <= 100)
            #expect(table.count == model.count)
            #expect(table.cost == model.values.reduce(0, +))
        }
        table.removeAll()
        #expect(table.isEmptyForTest)
    }

    @Test("what is used stays through a scan of keys used once")
    func scanResistance() {
        var table = EntryTable<Int, Int>(capacity: 100)
        for key in 0..<50 { _ = table.insert(key, for: key, cost: 1) }
        for _ in 0..<3 { for key in 0..<50 { _ = table.use(key) } }
        for key in 1000..<11_000 { _ = table.insert(key, for: key, cost: 1) }
        #expect((0..<50).filter { table.peek($0) != nil }.count == 50)
    }

    @Test("what is no longer used leaves in the end")
    func aging() {
        var table = EntryTable<Int, Int>(capacity: 10)
        for key in 0..<10 { _ = table.insert(key, for: key, cost: 1) }
        for key in 0..<10 { for _ in 0..<3 { _ = table.use(key) } }
        // One more moves them to the main queue, where they are used again, for the last time.
        _ = table.insert(10, for: 10, cost: 1)
        for key in 0..<10 { for _ in 0..<3 { _ = table.use(key) } }
        // New keys, each wanted again.
        for key in 100..<200 {
            _ = table.insert(key, for: key, cost: 1)
            for _ in 0..<3 { _ = table.use(key) }
        }
        #expect((0..<10).allSatisfy { table.peek($0) == nil })
    }

    @Test("a key that comes back soon goes to the main queue")
    func ghosts() {
        var table = EntryTable<Int, Int>(capacity: 20)
        for key in 0..<40 { _ = table.insert(key, for: key, cost: 1) }
        #expect(table.peek(0) == nil, "it is still there")
        _ = table.insert(0, for: 0, cost: 1)
        for key in 100..<200 { _ = table.insert(key, for: key, cost: 1) }
        #expect(table.peek(0) != nil, "it was treated as new")
    }

    @Test("what is bigger than the table is not taken in, and drops its predecessor")
    func tooBig() {
        var table = EntryTable<Int, Int>(capacity: 10)
        _ = table.insert(1, for: 1, cost: 3)
        let gone = table.insert(2, for: 1, cost: 11)
        #expect(gone.map(\.entry) == [2])
        #expect(table.peek(1) == nil && table.cost == 0)
    }
}

extension EntryTable {
    fileprivate var isEmptyForTest: Bool { count == 0 && cost == 0 }
}
