-- GET /v1/users/me with the tokens of many users in turn.
local tokens = {}
local at = 0

function init()
    for line in io.lines(os.getenv("POSTKEY_TOKENS")) do
        tokens[#tokens + 1] = line
    end
end

function request()
    at = at % #tokens + 1
    return wrk.format("GET", "/v1/users/me", { ["Authorization"] = "Bearer " .. tokens[at] })
end


function done(summary)
    io.write(string.format("per_second %.1f\n", summary.requests / summary.duration * 1e6))
    io.write(string.format("failed %d of %d\n",
        summary.errors.status + summary.errors.read + summary.errors.timeout, summary.requests))
end
