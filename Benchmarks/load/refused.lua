-- POST /v1/otp/send for a phone that has had its share, from a network that has had its own too: an attack that goes on.
dofile(os.getenv("POSTKEY_LOADS") .. "/report.lua")

function request()
    return wrk.format("POST", "/v1/otp/send",
        { ["Content-Type"] = "application/json", ["X-Forwarded-For"] = "10.200.0.1" }, '{"phone":"+919812345678"}')
end
