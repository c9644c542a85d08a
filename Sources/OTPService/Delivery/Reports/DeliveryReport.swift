package import Identity

/// What the gateway says has become of a message; the later ones outweigh the earlier ones, whatever comes first.
package enum ReportedState: String, Sendable, CaseIterable, Comparable {
    /// On its way, or a word that nobody has documented.
    case submitted
    case failed
    case delivered

    private var weight: Int {
        switch self {
        case .submitted: 1
        case .failed: 2
        case .delivered: 3
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.weight < right.weight }
}

/// Why a message did not arrive, as operators tell it.
package enum UndeliveredReason: String, Sendable, CaseIterable {
    /// Switched off, out of reach or busy: another try may arrive.
    case unreachable
    /// Its memory for messages is full.
    case full
    /// The line may not receive messages.
    case barred
    /// The subscriber, or somebody for them, has blocked such messages.
    case blocked
    /// The operator refused it: header, template or entity are not as registered (DLT).
    case rejected
    /// The account does not send to this country.
    case countryBlocked = "country_blocked"
    /// Said without a reason that we know.
    case undelivered
}

/// One report of the gateway about one message. It is not signed: it changes what is shown of a message, and proves nothing.
package struct DeliveryReport: Sendable, Hashable {
    /// Our name for the message, as the gateway echoes it: the challenge and the number of its message.
    package var name: MessageName?
    /// The gateway's name for it, of letters, digits, `-` and `_`, at most 64.
    package var gatewayID: String?
    /// Where it went; together with the gateway's name it finds a message that was not named by us.
    package var phone: PhoneNumber?
    /// What has become of it.
    package var state: ReportedState
    /// With `failed` only.
    package var reason: UndeliveredReason?

    /// A report that names a message in at least one way.
    package init(
        name: MessageName? = nil, gatewayID: String? = nil, phone: PhoneNumber? = nil, state: ReportedState,
        reason: UndeliveredReason? = nil
    ) {
        self.name = name
        self.gatewayID = gatewayID
        self.phone = phone
        self.state = state
        self.reason = reason
    }
}

/// Our name for a message at the gateway (`CRQID`): `<challenge id>-<number>`.
package struct MessageName: Sendable, Hashable, CustomStringConvertible {
    /// The challenge whose code it carries.
    package let challengeID: ChallengeID
    /// 0 to 99.
    package let number: Int

    /// Names a message.
    package init(challengeID: ChallengeID, number: Int) {
        self.challengeID = challengeID
        self.number = number
    }

    package var description: String { "\(challengeID)-\(number)" }

    /// Reads a name as ``Message/correlation`` writes it; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count <= 39, let dash = text.lastIndex(of: "-"), let id = ChallengeID(String(text[..<dash])),
            let number = Int(text[text.index(after: dash)...]), (0...99).contains(number)
        else { return nil }
        self.init(challengeID: id, number: number)
    }
}

/// The rule of what a report does to a message: the pure twin of `apply_delivery_reports`.
extension MessageState {
    /// The state after a report; nil if it changes nothing. A message that was never handed over cannot be reported.
    package func after(_ report: ReportedState, tries: Int) -> MessageState? {
        guard tries > 0 else { return nil }
        switch (report, self) {
        case (.delivered, .delivered): return nil
        case (.delivered, _): return .delivered
        case (.failed, .queued), (.failed, .submitted), (.failed, .unresolved): return .failed
        case (.failed, _): return nil
        case (.submitted, .queued), (.submitted, .unresolved): return .submitted
        case (.submitted, _): return nil
        }
    }
}
