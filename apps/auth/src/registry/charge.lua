--[[
  Charges units of work to a counter that starts again from 0 some time after its first charge. Units
  beyond the limit are not charged: a refused request costs nothing.

  Returns {1 when the units were charged, else 0; ms until the counter starts again}.
]]
local counterKey = KEYS[1]
local units, maxUnits, windowMs = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local used = tonumber(redis.call('GET', counterKey) or '0')
local leftMs = redis.call('PTTL', counterKey)
if used + tonumber(units) > maxUnits then
  return { 0, math.max(leftMs, 0) }
end
redis.call('INCRBY', counterKey, units)
if leftMs < 0 then
  redis.call('PEXPIRE', counterKey, windowMs)
  leftMs = tonumber(windowMs)
end
return { 1, leftMs }
