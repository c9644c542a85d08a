/// Faults that the last four digits of a number select; our convention, not MSG91's.
enum NumberFault: Equatable {
    case badKey
    case noBalance
    case duplicate
    case ipBlocked
    case acceptThenTimeout
    case undelivered(status: Int, reason: String)
    /// Delivered, but no report ever comes.
    case unreported

    init?(mobile: String) {
        switch mobile.suffix(4) {
        case "0201": self = .badKey
        case "0301": self = .noBalance
        case "0311": self = .duplicate
        case "0418": self = .ipBlocked
        case "0504": self = .acceptThenTimeout
        case "9002": self = .undelivered(status: 2, reason: "EXP Abssubs")
        case "9016": self = .undelivered(status: 16, reason: "Rejected by Kannel or Provider")
        case "9017": self = .undelivered(status: 17, reason: "Blocked number")
        case "9009": self = .undelivered(status: 9, reason: "NDNC")
        case "9020": self = .undelivered(status: 20, reason: "Country Code Blocked")
        case "9999": self = .unreported
        default: return nil
        }
    }

    /// What becomes of an accepted message, when that is the fault.
    var outcome: DeliveryOutcome? {
        switch self {
        case .undelivered(let status, let reason): .failed(status: status, reason: reason)
        case .unreported: .silent
        case .badKey, .noBalance, .duplicate, .ipBlocked, .acceptThenTimeout: nil
        }
    }
}

extension Gateway.State {
    func numberFault(_ mobile: String) -> NumberFault? {
        account.faultNumbers ? NumberFault(mobile: mobile) : nil
    }

    /// The fault of the connection that a number selects; a second attempt within ten seconds is answered with 311.
    func numberFault(_ endpoint: Endpoint, _ parameters: Parameters) -> Fault? {
        guard endpoint == .send, let mobile = parameters["mobile"], numberFault(mobile) == .acceptThenTimeout,
            codes[mobile].map({ $0.otp != parameters["otp"] }) ?? true
        else { return nil }
        return Fault(requests: 1, acceptThenTimeout: true)
    }
}
