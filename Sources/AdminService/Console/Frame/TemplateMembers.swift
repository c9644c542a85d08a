import Mustache

// Templates find the members of a value by reflection, which takes microseconds. Of these values a page has hundreds, so they
// name their members themselves.

extension Plot.GridLine: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "y": y
        case "labelY": labelY
        case "label": label
        default: nil
        }
    }
}

extension Plot.DayMark: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "x": x
        case "label": label
        default: nil
        }
    }
}

extension Plot.Shape: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "style": style
        case "path": path
        case "isFilled": isFilled
        case "isArea": isArea
        default: nil
        }
    }
}

extension Plot.Dot: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "y": y
        case "style": style
        default: nil
        }
    }
}

extension Plot.Column: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "x": x
        case "width": width
        case "centre": centre
        case "title": title
        case "dots": dots
        default: nil
        }
    }
}

extension ChartView.Row: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "day": day
        case "cells": cells
        default: nil
        }
    }
}

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

extension MessagesView.Row: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "created": created
        case "phone": phone
        case "purpose": purpose
        case "channel": channel
        case "state": state
        case "tone": tone
        case "failure": failure
        case "used": used
        default: nil
        }
    }
}

extension DestinationsView.Row: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
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
