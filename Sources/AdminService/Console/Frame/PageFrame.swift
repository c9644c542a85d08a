import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Mustache

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Puts the content of a page into the frame that all pages have.
struct PageFrame: Sendable {
    /// A page was asked for whose template is not there.
    struct MissingTemplate: Error { let name: String }

    let assets: ConsoleAssets
    let cookies: ConsoleCookies
    let flash: Flash
    private let library: MustacheLibrary

    /// Reads all templates. Throws if one cannot be parsed.
    init(pages directory: URL, assets: ConsoleAssets, cookies: ConsoleCookies, flash: Flash) throws {
        self.assets = assets
        self.cookies = cookies
        self.flash = flash
        var library = MustacheLibrary()
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path)
        where name.hasSuffix(".mustache") {
            let text = String(decoding: try Data(contentsOf: directory.appending(path: name)), as: UTF8.self)
            try library.register(text, named: String(name.dropLast(".mustache".count)))
        }
        self.library = library
    }

    /// A page for a signed-in operator.
    func page(
        _ template: String, title: String, section: Section?, notice: Notice? = nil, status: HTTPResponse.Status = .ok,
        _ content: some Sendable, _ request: Request, _ context: ConsoleContext
    ) throws -> Response {
        try html(
            template, status, request,
            Page(
                title: title, assets: self.assets, theme: context.theme,
                signedIn: Page.SignedIn(
                    phone: context.admin.phone.description, role: context.admin.role.rawValue,
                    navigation: NavigationItem.items(for: context.admin.role, current: section),
                    themes: Page.themes(context.theme), path: context.path),
                formToken: context.formToken, notice: notice, content: content))
    }

    /// A page for somebody who is not signed in, or about whom nothing is known.
    func page(
        _ template: String, title: String, status: HTTPResponse.Status = .ok, formToken: String = "",
        _ content: some Sendable, _ request: Request, headers: [HTTPField] = []
    ) throws -> Response {
        try html(
            template, status, request,
            Page(
                title: title, assets: assets, theme: Theme(cookies.value(.theme, of: request)), signedIn: nil,
                formToken: formToken, notice: nil, content: content),
            headers)
    }

    /// A part of a page, without the frame. A partial in a template stands at the beginning of its line: indented, all that it holds is
    /// searched for line ends at each level.
    func part(_ template: String, _ content: some Sendable) throws -> String {
        guard let text = library.render(Members.seen(content) ?? content, withTemplate: template) else {
            throw MissingTemplate(name: template)
        }
        return text
    }

    private func html(
        _ template: String, _ status: HTTPResponse.Status, _ request: Request, _ page: Page, _ headers: [HTTPField] = []
    ) throws -> Response {
        var fields = PageHeaders.fields(isSecure: cookies.isSecure(request))
        for header in headers { fields.append(header) }
        return .html(
            status, try part(template, page), contentSecurityPolicy: PageHeaders.securityPolicy, headers: fields)
    }
}

/// What the frame shows around a page.
struct Page: Sendable {
    struct SignedIn: Sendable {
        let phone: String
        let role: String
        let navigation: [NavigationItem]
        let themes: [ThemeChoice]
        let path: String
    }

    struct ThemeChoice: Sendable {
        let value: String
        let title: String
        let isChosen: Bool
    }

    let title: String
    let style: String
    let script: String
    let icon: String
    let theme: String
    let signedIn: SignedIn?
    let formToken: String
    let notice: Notice?
    let content: any Sendable

    init(
        title: String, assets: ConsoleAssets, theme: Theme, signedIn: SignedIn?, formToken: String, notice: Notice?,
        content: any Sendable
    ) {
        self.title = title
        style = assets.style.path
        script = assets.script.path
        icon = assets.icon.path
        self.theme = theme.rawValue
        self.signedIn = signedIn
        self.formToken = formToken
        self.notice = notice
        self.content = content
    }

    static func themes(_ chosen: Theme) -> [ThemeChoice] {
        Theme.allCases.map { ThemeChoice(value: $0.rawValue, title: $0.title, isChosen: $0 == chosen) }
    }
}

/// A sentence above the page about what was just done, or about what is missing.
struct Notice: Sendable {
    /// `good`, `warning` or `bad`: how it looks.
    let kind: String
    let text: String

    static func good(_ text: String) -> Notice { Notice(kind: "good", text: text) }
    static func warning(_ text: String) -> Notice { Notice(kind: "warning", text: text) }
    static func bad(_ text: String) -> Notice { Notice(kind: "bad", text: text) }
}
