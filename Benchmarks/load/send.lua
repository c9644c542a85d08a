-- POST /v1/otp/send for another phone from another client network each time (through a trusted proxy on loopback).
dofile(os.getenv("POSTKEY_LOADS") .. "/report.lua")

function init()
    seed()
end

function request()
    local phone = string.format("+91%d%08d", math.random(96, 99), math.random(0, 99999999))
    local address = string.format("10.%d.%d.%d", math.random(0, 255), math.random(0, 255), math.random(1, 254))
    return wrk.format("POST", "/v1/otp/send",
        { ["Content-Type"] = "application/json", ["X-Forwarded-For"] = address }, '{"phone":"' .. phone .. '"}')
end
