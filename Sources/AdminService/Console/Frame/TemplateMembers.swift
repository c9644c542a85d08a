import Mustache

// Of these values a page has hundreds, so they name their members themselves, without the reflection of ``Members``.

extension Wording.Moment: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "machine": machine
        case "text": text
        case "clock": clock
        default: nil
        }
    }
}

extension DestinationsView.Row: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "isPermitted": isPermitted
        case "prefix": prefix
        case "query": query
        case "country": country
        case "state": state
        case "tone": tone
        case "reason": reason
        case "sends": sends
        case "verified": verified
        case "conversion": conversion
        case "since": since
        default: nil
        }
    }
}
