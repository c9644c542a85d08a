import Crypto
import HTTPServer
import HTTPTypes
import Hummingbird

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The style sheet, the script and the icon: read once, served under names that change with their content.
struct ConsoleAssets: Sendable {
    struct Asset: Sendable {
        let path: String
        let text: String
        let type: String
    }

    let style: Asset
    let script: Asset
    let icon: Asset

    /// Reads the files in a directory. Throws if one is missing.
    init(directory: URL) throws {
        func asset(_ name: String, _ kind: String, _ type: String) throws -> Asset {
            let data = try Data(contentsOf: directory.appending(path: "\(name).\(kind)"))
            let fingerprint = SHA256.hash(data: data).prefix(6).hexadecimal
            return Asset(
                path: "/assets/\(name)-\(fingerprint).\(kind)", text: String(decoding: data, as: UTF8.self), type: type)
        }
        style = try asset("console", "css", "text/css; charset=utf-8")
        script = try asset("console", "js", "text/javascript; charset=utf-8")
        icon = try asset("icon", "svg", "image/svg+xml")
    }

    func add(to router: PostkeyRouter) {
        for asset in [style, script, icon] {
            router.get(RouterPath(asset.path)) { _, _ in
                Response.text(
                    .ok, asset.text, type: asset.type,
                    headers: [
                        .cacheControl: "public, max-age=31536000, immutable",
                        .crossOriginResourcePolicy: "same-origin",
                    ])
            }
        }
    }
}
