import CLibQREncode

/// A QR code (ISO/IEC 18004) for a terminal.
struct QRCode: Sendable {
    /// Rows of modules, true where dark.
    let modules: [[Bool]]

    /// Encodes a text with error correction of level M; nil if it is too long for that.
    init?(_ text: String) {
        guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else { return nil }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        guard width > 0, let data = code.pointee.data else { return nil }
        let cells = Array(UnsafeBufferPointer(start: data, count: width * width))
        modules = (0..<width).map { row in (0..<width).map { cells[row * width + $0] & 1 == 1 } }
    }

    /// Two rows of modules a line, light on dark, with a margin; for terminals of white on black.
    var terminalText: String {
        let margin = 2
        let size = modules.count + 2 * margin
        func isLight(_ row: Int, _ column: Int) -> Bool {
            let inside = modules.indices.contains(row - margin) && modules.indices.contains(column - margin)
            return !(inside && modules[row - margin][column - margin])
        }
        return stride(from: 0, to: size, by: 2).map { row in
            (0..<size).map { column in
                switch (isLight(row, column), row + 1 < size && isLight(row + 1, column)) {
                case (true, true): "█"
                case (true, false): "▀"
                case (false, true): "▄"
                case (false, false): " "
                }
            }.joined()
        }.joined(separator: "\n")
    }
}
