import Mustache

/// A value as templates see it, its members looked at once.
///
/// Templates find members by reflection, anew for each name, and look for a name that is not there in everything around: that took
/// most of the time of a page. Here reflection is done once for each value, and a name costs a look into a dictionary.
struct Members: MustacheParent {
    private let members: [String: Any]

    private init(_ mirror: Mirror) {
        var members: [String: Any] = [:]
        members.reserveCapacity(mirror.children.count)
        for case (let name?, let value) in mirror.children { members[name] = Self.seen(value) }
        self.members = members
    }

    func child(named name: String) -> Any? { members[name] }

    /// What a template is given for a value: values with members as ``Members``, lists of them too, nothing for nil, and all others as
    /// they are.
    static func seen(_ value: Any) -> Any? {
        if value is String || value is any MustacheParent { return value }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.flatMap { seen($0.value) }
        case .collection: return mirror.children.map { seen($0.value) ?? $0.value }
        case .struct where !mirror.children.isEmpty: return Members(mirror)
        default: return value
        }
    }
}
