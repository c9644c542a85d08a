/// How log lines look: JSON for machines, console for people.
package enum LogFormat: String, Sendable, CaseIterable {
    case json
    case console
}
