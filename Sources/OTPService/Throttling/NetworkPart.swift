/// Where a network's sends are counted.
///
/// The row of a limit is locked until its send is durable, so that one row lets a network's sends pass one commit at a time.
/// Below a thousand that is as it should be: the limit is exact. A wider one (a laptop that plays many clients, a back end
/// that asks for all of its users) is kept in sixteen parts, one of which each send takes by chance. Their sum is the limit; the
/// first part may be used up when the others have a few percent left.
struct NetworkPart {
    let key: String
    let limit: RateLimit

    private static let parts = 16

    init(_ network: String, _ whole: RateLimit) {
        if whole.count < 1000 {
            key = "network:" + network
            limit = whole
        } else {
            key = "network:\(network)#\(Int.random(in: 0..<Self.parts))"
            limit = RateLimit(whole.count / Self.parts, per: whole.seconds)
        }
    }
}
