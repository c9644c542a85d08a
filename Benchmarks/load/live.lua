-- GET /health/live: what the HTTP server alone can do.
dofile(os.getenv("POSTKEY_LOADS") .. "/report.lua")

function request()
    return wrk.format("GET", "/health/live")
end
