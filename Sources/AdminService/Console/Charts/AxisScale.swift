/// The marks of a value axis: from zero, at round distances, to a round number at or above the highest value.
struct AxisScale: Sendable, Equatable {
    let step: Double
    let count: Int

    /// The value at the upper end; more than 0.
    var maximum: Double { step * Double(count) }
    var marks: [Double] { (0...count).map { Double($0) * step } }

    /// - Parameters:
    ///   - highest: the highest value; what is not finite or below zero counts as zero.
    ///   - smallest: the smallest distance that makes sense, 1 for things that are counted.
    init(highest: Double, smallest: Double = 1) {
        let highest = highest.isFinite ? max(highest, smallest) : smallest
        var step = smallest
        // 1, 2, 5, 10, 20 …: at most five distances.
        var factors = [2, 2.5, 2].makeIterator()
        while highest / step > 5, step < 1e18 {
            guard let factor = factors.next() else {
                factors = [2, 2.5, 2].makeIterator()
                continue
            }
            step *= factor
        }
        self.step = step
        count = Int((highest / step).rounded(.up))
    }
}
