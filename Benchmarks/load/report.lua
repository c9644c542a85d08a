-- What every load shares: the pace, and the summary that Benchmarks/bench/load.py reads.

-- Milliseconds between an answer and the next request of a connection, so that all of them together come to POSTKEY_RATE
-- requests a second; drawn from 0 to twice the mean, so that connections do not march in step.
local rate = tonumber(os.getenv("POSTKEY_RATE") or "0")
if rate > 0 then
    local pause = 1000 * tonumber(os.getenv("POSTKEY_CONNECTIONS")) / rate
    function delay()
        return math.floor(math.random() * 2 * pause)
    end
end

function done(summary, latency)
    io.write(string.format("per_second %.1f\n", summary.requests / summary.duration * 1e6))
    io.write(string.format("failed %d of %d\n",
        summary.errors.status + summary.errors.read + summary.errors.timeout, summary.requests))
    io.write(string.format("p50 %.3f p99 %.3f\n", latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end

function seed()
    math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 100000)
end

function lines(variable)
    local all = {}
    for line in io.lines(os.getenv(variable)) do
        all[#all + 1] = line
    end
    return all
end
