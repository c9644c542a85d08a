import CPhoneNumber

/// The kind of line behind a phone number, as far as libphonenumber's metadata tells.
package enum LineType: String, Sendable, CaseIterable {
    case mobile
    case fixedLine = "fixed_line"
    /// Countries like the United States, where the number does not tell.
    case fixedLineOrMobile = "fixed_line_or_mobile"
    case tollFree = "toll_free"
    case premiumRate = "premium_rate"
    case sharedCost = "shared_cost"
    case voip
    case personal
    case pager
    /// A company's universal access number.
    case company
    case voicemail
    /// In no range that the metadata knows, perhaps because the range is newer.
    case unknown

    init(_ type: postkey_line_type) {
        self =
            switch type {
            case postkey_line_mobile: .mobile
            case postkey_line_fixed: .fixedLine
            case postkey_line_fixed_or_mobile: .fixedLineOrMobile
            case postkey_line_toll_free: .tollFree
            case postkey_line_premium_rate: .premiumRate
            case postkey_line_shared_cost: .sharedCost
            case postkey_line_voip: .voip
            case postkey_line_personal: .personal
            case postkey_line_pager: .pager
            case postkey_line_company: .company
            case postkey_line_voicemail: .voicemail
            default: .unknown
            }
    }
}
