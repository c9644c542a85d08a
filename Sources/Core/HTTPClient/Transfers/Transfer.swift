internal import CLibCurl

/// One request on libcurl's side, confined to the loop's thread: its handle and what came back so far.
final class Transfer {
    let request: PreparedRequest
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<Result<HTTPClientResponse, HTTPClientError>, Never>
    let id: UInt64
    private let configuration: HTTPClientConfiguration
    private(set) var handle: UnsafeMutableRawPointer?
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var answer: IncomingResponse
    /// How often libcurl was about to send the request: more than once when a kept connection was dead.
    private var sendings = 0

    init(_ submission: Submission, configuration: HTTPClientConfiguration) {
        id = submission.ticket.id
        request = submission.request
        deadline = submission.deadline
        continuation = submission.continuation
        self.configuration = configuration
        answer = IncomingResponse(
            maximumHeaderSize: configuration.maximumHeaderSize, maximumBodySize: configuration.maximumBodySize)
    }

    static func owner(of handle: UnsafeMutableRawPointer) -> Transfer? {
        var pointer: UnsafeMutableRawPointer?
        guard postkey_curl_get_private(handle, &pointer) == CURLE_OK else { return nil }
        return from(pointer)
    }

    func attach(_ handle: UnsafeMutableRawPointer) {
        self.handle = handle
    }

    func detach() -> UnsafeMutableRawPointer? {
        defer { handle = nil }
        return handle
    }

    /// Only after the handle left libcurl's hands.
    func freeHeaders() {
        curl_slist_free_all(headerList)
        headerList = nil
    }

    /// Whether any byte of the request may have been sent.
    var maybeSent: Bool {
        sendings > 0
    }

    /// The answer, or what the end of the transfer means.
    func result(_ code: CURLcode) -> Result<HTTPClientResponse, HTTPClientError> {
        guard code == CURLE_OK else { return .failure(failure(code)) }
        var status = 0
        guard let handle, postkey_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK, status >= 100
        else { return .failure(.malformedResponse) }
        return .success(HTTPClientResponse(status: status, headers: answer.headers, body: answer.body))
    }

    private func failure(_ code: CURLcode) -> HTTPClientError {
        if answer.isTooLarge { return .tooLarge }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT:
            return .connect
        case CURLE_OPERATION_TIMEDOUT:
            // The whole request's time is kept by the loop: libcurl's own timer is the connect timeout.
            return maybeSent ? .timeout(maybeSent: true) : .connect
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
            return maybeSent ? .reset(maybeSent: true) : .tls
        case CURLE_FILESIZE_EXCEEDED:
            return .tooLarge
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING:
            return maybeSent ? .malformedResponse : .invalidURL
        case CURLE_URL_MALFORMAT:
            return .invalidURL
        case CURLE_OUT_OF_MEMORY where maybeSent:
            // How libcurl 7 reports a header line beyond its own limit.
            return .tooLarge
        default:
            return .reset(maybeSent: maybeSent)
        }
    }
}

// MARK: - The handle

extension Transfer {
    /// Sets every option of the handle; false when libcurl refused one.
    func configureHandle() -> Bool {
        guard let handle else { return false }
        let pointer = Unmanaged.passUnretained(self).toOpaque()
        let remaining = ContinuousClock.now.duration(to: deadline)
        var codes = [
            postkey_curl_set_pointer(handle, CURLOPT_PRIVATE, pointer),
            postkey_curl_set_string(handle, CURLOPT_URL, request.url),
            postkey_curl_set_protocol(handle, request.target.isSecure ? 1 : 0),
            // Set to nothing, which also hides the environment's proxy variables.
            postkey_curl_set_string(handle, CURLOPT_PROXY, ""),
            postkey_curl_set_quick_exit(handle),
            postkey_curl_set_offset(handle, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(configuration.maximumBodySize)),
            postkey_curl_set_callback(handle, CURLOPT_WRITEFUNCTION, Self.receiveBody),
            postkey_curl_set_pointer(handle, CURLOPT_WRITEDATA, pointer),
            postkey_curl_set_callback(handle, CURLOPT_HEADERFUNCTION, Self.receiveHeader),
            postkey_curl_set_pointer(handle, CURLOPT_HEADERDATA, pointer),
            postkey_curl_set_prerequest(handle, Self.aboutToSend, pointer),
        ]
        let numbers: [(CURLoption, Int)] = [
            (CURLOPT_NOSIGNAL, 1),
            (CURLOPT_FOLLOWLOCATION, 0),
            // One transfer per connection: a reset has one victim, and the limits on transfers count connections.
            (CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)),
            (CURLOPT_SSL_VERIFYPEER, 1),
            (CURLOPT_SSL_VERIFYHOST, 2),
            (CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            (CURLOPT_TCP_KEEPALIVE, 1),
            (CURLOPT_CONNECTTIMEOUT_MS, min(configuration.connectTimeout, remaining).curlMilliseconds),
            (CURLOPT_MAXAGE_CONN, max(1, configuration.idleConnectionAge.curlMilliseconds / 1000)),
            (CURLOPT_DNS_CACHE_TIMEOUT, configuration.dnsCacheAge.curlMilliseconds / 1000),
        ]
        codes += numbers.map { postkey_curl_set_long(handle, $0, $1) }
        if let file = configuration.certificateAuthorityFile {
            codes.append(postkey_curl_set_string(handle, CURLOPT_CAINFO, file))
        }
        return codes.allSatisfy { $0 == CURLE_OK } && setRequest(on: handle)
    }

    private func setRequest(on handle: UnsafeMutableRawPointer) -> Bool {
        for line in request.headerLines {
            guard let longer = curl_slist_append(headerList, line) else { return false }
            headerList = longer
        }
        var codes = [postkey_curl_set_list(handle, CURLOPT_HTTPHEADER, headerList)]
        if let body = request.body {
            codes.append(postkey_curl_set_long(handle, CURLOPT_POST, 1))
            codes.append(
                // An empty body must still be a pointer, or libcurl would look for a read callback.
                body.isEmpty
                    ? postkey_curl_set_body(handle, "", 0)
                    : body.withUnsafeBytes { postkey_curl_set_body(handle, $0.baseAddress, $0.count) })
        } else if request.method == "HEAD" {
            codes.append(postkey_curl_set_long(handle, CURLOPT_NOBODY, 1))
        }
        codes.append(postkey_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method))
        return codes.allSatisfy { $0 == CURLE_OK }
    }

    fileprivate static func from(_ pointer: UnsafeMutableRawPointer?) -> Transfer? {
        pointer.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}

// MARK: - What libcurl calls

extension Transfer {
    /// Taking fewer bytes than offered ends the transfer with CURLE_WRITE_ERROR.
    fileprivate static let receiveBody: curl_write_callback = { bytes, size, count, pointer in
        guard let bytes, let transfer = Transfer.from(pointer) else { return 0 }
        let length = size * count
        return transfer.answer.appendBody(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : 0
    }

    fileprivate static let receiveHeader: curl_write_callback = { bytes, size, count, pointer in
        guard let bytes, let transfer = Transfer.from(pointer) else { return 0 }
        let length = size * count
        return transfer.answer.appendHeaderLine(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : 0
    }

    /// Called with a connection in hand, just before each sending.
    ///
    /// libcurl sends a request again by itself when a kept connection ends without an answer, a POST too: but then
    /// the server may have acted on the first. Such a second sending is refused here, the caller decides.
    fileprivate static let aboutToSend: curl_prereq_callback = { pointer, _, _, _, _ in
        guard let transfer = Transfer.from(pointer) else { return CURL_PREREQFUNC_ABORT }
        transfer.sendings += 1
        return transfer.sendings > 1 && !transfer.request.isRepeatable ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK
    }
}
