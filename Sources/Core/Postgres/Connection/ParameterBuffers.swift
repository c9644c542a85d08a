/// Arrays in the shape that libpq's C functions want, kept between statements to allocate nothing.
struct ParameterBuffers {
    struct Pointers {
        let count: Int32
        let types: UnsafePointer<UInt32>?
        let values: UnsafePointer<UnsafePointer<CChar>?>?
        let lengths: UnsafePointer<Int32>?
        let formats: UnsafePointer<Int32>?
    }

    private var types: [UInt32] = []
    private var values: [UnsafePointer<CChar>?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    mutating func withPointers<Value>(
        to parameters: borrowing PostgresParameters, _ body: (Pointers) -> Value
    ) -> Value {
        types.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        let all = parameters.lengths
        return parameters.bytes.withUnsafeBytes { bytes in
            // An empty buffer has no address, but an empty text is not NULL: it needs some address of length zero.
            let empty: UnsafeRawPointer = UnsafeRawPointer(ParameterBuffers.nothing)
            var offset = 0
            for (type, length) in zip(parameters.types, all) {
                types.append(type.rawValue)
                lengths.append(max(length, 0))
                if length < 0 {
                    values.append(nil)
                } else {
                    let address = length == 0 ? empty : bytes.baseAddress.map { $0 + offset } ?? empty
                    values.append(address.assumingMemoryBound(to: CChar.self))
                    offset += Int(length)
                }
            }
            while formats.count < all.count { formats.append(1) }
            return types.withUnsafeBufferPointer { types in
                values.withUnsafeBufferPointer { values in
                    lengths.withUnsafeBufferPointer { lengths in
                        formats.withUnsafeBufferPointer { formats in
                            body(
                                Pointers(
                                    count: Int32(clamping: all.count), types: types.baseAddress,
                                    values: values.baseAddress, lengths: lengths.baseAddress,
                                    formats: formats.baseAddress))
                        }
                    }
                }
            }
        }
    }

    private nonisolated(unsafe) static let nothing = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
}
