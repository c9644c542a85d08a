-- GET /v1/users/me with the tokens of many users in turn.
dofile(os.getenv("POSTKEY_LOADS") .. "/report.lua")
local tokens = {}
local at = 0

function init()
    tokens = lines("POSTKEY_TOKENS")
end

function request()
    at = at % #tokens + 1
    return wrk.format("GET", "/v1/users/me", { ["Authorization"] = "Bearer " .. tokens[at] })
end
