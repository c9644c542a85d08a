/// Where a network's sends and requests are counted.
///
/// The row of a limit is locked until its send is durable, so that one row lets a network's sends pass one commit at a time.
/// Below a thousand that is as it should be: the limit is exact. A wider one (a laptop that plays many clients, a back end
/// that asks for all of its users) is kept in sixteen parts, one of which each send takes by chance. Their sum is the limit; the
/// first part may be used up when the others have a few percent left.
struct NetworkPart {
    let key: String
    let limit: RateLimit
    /// The share of the allowance of requests that is kept in the same row.
    let requests: RateLimit
    /// How many parts there are.
    let parts: Int

    private static let most = 16

    init(_ network: String, _ whole: RateLimit, requests: RateLimit = SendLimits.standard.requests) {
        if whole.count < 1000 {
            parts = 1
            key = "network:" + network
            limit = whole
            self.requests = requests
        } else {
            parts = Self.most
            key = "network:\(network)#\(Int.random(in: 0..<Self.most))"
            limit = RateLimit(whole.count / Self.most, per: whole.seconds)
            self.requests = RateLimit(requests.count / Self.most, per: requests.seconds)
        }
    }
}
