-- POST /v1/otp/verify with the right answer to another challenge each time: lines of POSTKEY_CHALLENGES are id and code.
dofile(os.getenv("POSTKEY_LOADS") .. "/report.lua")
local answers = {}
local at = 0

function init()
    answers = lines("POSTKEY_CHALLENGES")
end

function request()
    at = at % #answers + 1
    local address = string.format("10.%d.%d.%d", math.random(0, 255), math.random(0, 255), math.random(1, 254))
    local id, code = answers[at]:match("(%S+) (%S+)")
    return wrk.format("POST", "/v1/otp/verify",
        { ["Content-Type"] = "application/json", ["X-Forwarded-For"] = address },
        '{"challenge_id":"' .. id .. '","code":"' .. code .. '"}')
end
