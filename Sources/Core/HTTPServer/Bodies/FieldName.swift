/// Names of fields as they may be told back to the client.
enum FieldName {
    /// A name of a client's making, if it looks like one; otherwise a word instead of it.
    static func printable(_ name: String) -> String {
        let bytes = name.utf8
        let isPlain =
            (1...64).contains(bytes.count)
            && bytes.allSatisfy { byte in
                switch byte {
                case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x5F, 0x2D, 0x2E: true
                default: false
                }
            }
        return isPlain ? name : "(unprintable)"
    }
}
