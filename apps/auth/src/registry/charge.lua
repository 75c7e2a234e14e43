--[[
  Charges units of work to a counter that begins anew a while after its first charge. What would go
  beyond the limit is not charged: a refused request uses nothing up.
  KEYS  1 counter
  ARGV  1 units  2 most units in a window  3 window in ms
  Returns {1 when it was charged, 0 when not; ms until the counter begins anew}.
]]
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local leftMs = redis.call('PTTL', KEYS[1])
if used + tonumber(ARGV[1]) > tonumber(ARGV[2]) then
  return { 0, math.max(leftMs, 0) }
end
redis.call('INCRBY', KEYS[1], ARGV[1])
if leftMs < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  leftMs = tonumber(ARGV[3])
end
return { 1, leftMs }
