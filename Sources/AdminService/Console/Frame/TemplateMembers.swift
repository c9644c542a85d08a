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

extension UsersPage.Row: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "path": path
        case "name": self.name
        case "initials": initials
        case "colour": colour
        case "phone": phone
        case "status": status
        case "tone": tone
        case "created": created
        case "lastSignIn": lastSignIn
        default: nil
        }
    }
}

extension AuditView.Row: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "at": at
        case "who": who
        case "whoPath": whoPath
        case "what": what
        case "targetKind": targetKind
        case "targetID": targetID
        case "targetName": targetName
        case "targetPath": targetPath
        case "change": change
        case "reason": reason
        case "outcome": outcome
        case "outcomeTone": outcomeTone
        case "address": address
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
