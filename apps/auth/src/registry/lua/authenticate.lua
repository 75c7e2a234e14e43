--[[
  Looks a registration code up, together with its identity. Does the same work whatever it finds.
  KEYS  1 identity  2 codes
  ARGV  1 code's hash
  Gives {code's value or nil, {identity's fields, codes' values, now in ms}}.
]]
local fields = redis.call('HGETALL', KEYS[1])
local code = redis.call('HGET', KEYS[2], ARGV[1])
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return { code, { fields, redis.call('HVALS', KEYS[2]), string.format('%.0f', nowMs) } }
