-- Why: end_dead_messages came after 0030, which gave the functions that look for ids their plan, and was left without it: each
--      connection planned it anew five times, over all days. While the gateway is away every instance runs it every two
--      seconds, when the machine has other things to do.
--      ALTER FUNCTION is enough: text, arguments and meaning stay, and a setting of a function holds from its next call on, for
--      the version before this one too.
-- Lock: none that a call waits for. Duration: instant.

alter function end_dead_messages(timestamptz, bigint) set plan_cache_mode = force_generic_plan;
