/// What an ``HTTPClient`` may do and how much of it.
package struct HTTPClientConfiguration: Sendable {
    /// The longest wait for name lookup, TCP and TLS together.
    package var connectTimeout: Duration
    /// The largest body of an answer, in bytes; a larger one is `.tooLarge`.
    package var maximumBodySize: Int
    /// The largest status line and header block of an answer, in bytes, interim answers included.
    package var maximumHeaderSize: Int
    /// Connections to one scheme, host and port at the same time; further requests wait for one, within their timeout.
    package var connectionsPerHost: Int
    /// Connections in total at the same time.
    package var connectionsInTotal: Int
    /// How long an idle connection may wait for its next request. Short of what servers keep idle connections for,
    /// because a request that meets a closing connection has an unknown outcome.
    package var idleConnectionAge: Duration
    /// How long a looked-up address is used.
    package var dnsCacheAge: Duration
    /// Hosts besides loopback that may be spoken to without TLS: a development simulator, services on a private network.
    package var plainHTTPHosts: Set<String>
    /// A PEM file of certificate authorities to trust in place of the system's.
    package var certificateAuthorityFile: String?

    /// The defaults are made for a provider's API on the public internet.
    package init(
        connectTimeout: Duration = .milliseconds(2500), maximumBodySize: Int = 1 << 20,
        maximumHeaderSize: Int = 32 << 10, connectionsPerHost: Int = 32, connectionsInTotal: Int = 128,
        idleConnectionAge: Duration = .seconds(20), dnsCacheAge: Duration = .seconds(30),
        plainHTTPHosts: Set<String> = [], certificateAuthorityFile: String? = nil
    ) {
        self.connectTimeout = connectTimeout
        self.maximumBodySize = max(0, maximumBodySize)
        self.maximumHeaderSize = max(0, maximumHeaderSize)
        self.connectionsPerHost = max(1, connectionsPerHost)
        self.connectionsInTotal = max(1, connectionsInTotal)
        self.idleConnectionAge = idleConnectionAge
        self.dnsCacheAge = dnsCacheAge
        self.plainHTTPHosts = Set(plainHTTPHosts.map { $0.lowercased() })
        self.certificateAuthorityFile = certificateAuthorityFile
    }
}

extension Duration {
    /// Whole milliseconds, at least 1 and at most a day, as libcurl takes them.
    var curlMilliseconds: Int {
        let milliseconds = self / .milliseconds(1)
        return Int(min(max(milliseconds.rounded(.up), 1), 86_400_000))
    }
}
