-- Counts who is in To and Cc; more than LIMIT is rejected, as the policy of the benchmark does it.
local LIMIT = 6000

rspamd_config:register_symbol({
    name = 'COUNT',
    type = 'normal',
    score = 0,
    callback = function(task)
        local count = #(task:get_recipients('mime') or {})
        if count >= LIMIT then
            task:set_pre_result('reject', 'too many recipients')
        end
        return true, 1.0, 'visible=' .. count
    end,
})
