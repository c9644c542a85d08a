#include "CPhoneNumber.h"

#include <cstring>
#include <string>

#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace {

// Longer than any spelling of fifteen digits with an international prefix; the caller bounds its input as well.
constexpr size_t maximum_length = 64;

postkey_line_type line_type(PhoneNumberUtil::PhoneNumberType type) {
    switch (type) {
    case PhoneNumberUtil::FIXED_LINE: return postkey_line_fixed;
    case PhoneNumberUtil::MOBILE: return postkey_line_mobile;
    case PhoneNumberUtil::FIXED_LINE_OR_MOBILE: return postkey_line_fixed_or_mobile;
    case PhoneNumberUtil::TOLL_FREE: return postkey_line_toll_free;
    case PhoneNumberUtil::PREMIUM_RATE: return postkey_line_premium_rate;
    case PhoneNumberUtil::SHARED_COST: return postkey_line_shared_cost;
    case PhoneNumberUtil::VOIP: return postkey_line_voip;
    case PhoneNumberUtil::PERSONAL_NUMBER: return postkey_line_personal;
    case PhoneNumberUtil::PAGER: return postkey_line_pager;
    case PhoneNumberUtil::UAN: return postkey_line_company;
    case PhoneNumberUtil::VOICEMAIL: return postkey_line_voicemail;
    default: return postkey_line_unknown;
    }
}

postkey_phone_outcome outcome(PhoneNumberUtil::ErrorType error) {
    switch (error) {
    case PhoneNumberUtil::NO_PARSING_ERROR: return postkey_phone_parsed;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR: return postkey_phone_no_country;
    case PhoneNumberUtil::TOO_LONG_NSN: return postkey_phone_too_long;
    default: return postkey_phone_no_number;
    }
}

// The region of a number that matches no range is that of its leading digits, or else the main one of its calling code:
// a range newer than the metadata must not lose its country.
std::string region_of(const PhoneNumberUtil &library, const PhoneNumber &number) {
    std::string region;
    library.GetRegionCodeForNumber(number, &region);
    if (region.empty() || region == "ZZ") {
        library.GetRegionCodeForCountryCode(number.country_code(), &region);
    }
    return region == "ZZ" ? std::string() : region;
}

postkey_phone_outcome parse(const std::string &text, const char *region, postkey_phone_number *result) {
    const PhoneNumberUtil &library = *PhoneNumberUtil::GetInstance();
    PhoneNumber number;
    const auto error = library.Parse(text, region == nullptr ? "ZZ" : region, &number);
    if (error != PhoneNumberUtil::NO_PARSING_ERROR) {
        return outcome(error);
    }
    std::string e164;
    library.Format(number, PhoneNumberUtil::E164, &e164);
    const std::string country = region_of(library, number);
    if (e164.size() >= sizeof result->e164 || country.size() >= sizeof result->region) {
        return postkey_phone_too_long;
    }
    std::memcpy(result->e164, e164.data(), e164.size());
    std::memcpy(result->region, country.data(), country.size());
    result->line_type = line_type(library.GetNumberType(number));
    result->is_possible = library.IsPossibleNumberWithReason(number) == PhoneNumberUtil::IS_POSSIBLE;
    result->is_possible_mobile =
        library.IsPossibleNumberForTypeWithReason(number, PhoneNumberUtil::MOBILE) == PhoneNumberUtil::IS_POSSIBLE;
    result->is_valid = library.IsValidNumber(number);
    return postkey_phone_parsed;
}

}  // namespace

postkey_phone_outcome postkey_phone_parse(
    const char *text, size_t length, const char *region, postkey_phone_number *result) {
    std::memset(result, 0, sizeof *result);
    if (length > maximum_length) {
        return postkey_phone_too_long;
    }
    try {
        const auto outcome = parse(std::string(text, length), region, result);
        if (outcome != postkey_phone_parsed) {
            std::memset(result, 0, sizeof *result);
        }
        return outcome;
    } catch (...) {
        // No exception may cross into Swift; a text that breaks the library is not a phone number.
        std::memset(result, 0, sizeof *result);
        return postkey_phone_failed;
    }
}

int postkey_phone_calling_code(const char *region) {
    try {
        return PhoneNumberUtil::GetInstance()->GetCountryCodeForRegion(region);
    } catch (...) {
        return 0;
    }
}
