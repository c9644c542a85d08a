#pragma once
#include <curl/curl.h>

// Swift cannot call C functions with variable arguments, and curl_easy_setopt, curl_easy_getinfo and
// curl_multi_setopt are such: one typed wrapper for each kind of argument that HTTPClient passes.
// Options that old libcurl versions lack are chosen here, where the preprocessor knows the version.

static inline CURLcode postkey_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

static inline CURLcode postkey_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode postkey_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode postkey_curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode postkey_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode postkey_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

/// The body is copied: the caller's bytes need not outlive the call.
static inline CURLcode postkey_curl_set_body(CURL *easy, const void *bytes, size_t count) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, bytes);
}

static inline CURLcode postkey_curl_set_callback(CURL *easy, CURLoption option, curl_write_callback value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode postkey_curl_set_prerequest(CURL *easy, curl_prereq_callback value, void *argument) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_PREREQDATA, argument);
}

/// Allows one protocol alone. The string form exists since libcurl 7.85, the mask is deprecated since then.
static inline CURLcode postkey_curl_set_protocol(CURL *easy, int secure) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, secure ? "https" : "http");
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP));
#endif
}

/// A transfer given up while a name is being looked up does not wait for the resolver thread (libcurl 7.87).
static inline CURLcode postkey_curl_set_quick_exit(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
    return curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
    (void)easy;
    return CURLE_OK;
#endif
}

static inline CURLcode postkey_curl_get_long(CURL *easy, CURLINFO field, long *value) {
    return curl_easy_getinfo(easy, field, value);
}

static inline CURLcode postkey_curl_get_private(CURL *easy, void **value) {
    return curl_easy_getinfo(easy, CURLINFO_PRIVATE, value);
}

static inline CURLMcode postkey_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
