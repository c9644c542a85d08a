#pragma once

#include <stdbool.h>
#include <stddef.h>

/// A C face for libphonenumber, which speaks C++ only. No function throws, keeps state or writes to a stream;
/// all of them may be called from any thread.

#ifdef __cplusplus
extern "C" {
#endif

/// What became of a text. Anything but `parsed` leaves the number zeroed.
typedef enum {
    postkey_phone_parsed = 0,
    postkey_phone_no_country = 1,
    postkey_phone_no_number = 2,
    postkey_phone_too_long = 3,
    postkey_phone_failed = 4,
} postkey_phone_outcome;

/// The kind of line, by the library's metadata.
typedef enum {
    postkey_line_unknown = 0,
    postkey_line_mobile = 1,
    postkey_line_fixed = 2,
    postkey_line_fixed_or_mobile = 3,
    postkey_line_toll_free = 4,
    postkey_line_premium_rate = 5,
    postkey_line_shared_cost = 6,
    postkey_line_voip = 7,
    postkey_line_personal = 8,
    postkey_line_pager = 9,
    postkey_line_company = 10,
    postkey_line_voicemail = 11,
} postkey_line_type;

typedef struct {
    /// E.164 with its plus sign, NUL-terminated; at most fifteen digits.
    char e164[17];
    /// CLDR region ("IN"), "001" for numbers of no country, or empty.
    char region[4];
    postkey_line_type line_type;
    /// Its length is one that numbers of this country have.
    bool is_possible;
    /// Its length is one that mobile numbers of this country have.
    bool is_possible_mobile;
    /// It matches a range in the library's metadata (which ages: new ranges are unknown to it).
    bool is_valid;
} postkey_phone_number;

/// Reads `length` bytes (at most 64) of ASCII digits with an optional leading plus sign; `region` is a two-letter region for
/// numbers without a plus sign, or NULL.
postkey_phone_outcome postkey_phone_parse(
    const char *text, size_t length, const char *region, postkey_phone_number *result);

/// The calling code of this two-letter region, such as 91; 0 if the library does not know it.
int postkey_phone_calling_code(const char *region);

#ifdef __cplusplus
}
#endif
