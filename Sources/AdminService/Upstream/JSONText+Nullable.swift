import HTTPServer

extension JSONText {
    /// Writes a member that may be null.
    mutating func nullable(_ name: String, _ value: String?) {
        if let value {
            member(name, value)
        } else {
            self.name(name)
            raw("null")
        }
    }
}
