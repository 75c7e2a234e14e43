--[[
  Sets fields of an identity.
  KEYS  1 identity  2 codes
  ARGV  field, value, …
  Gives {identity's fields, codes' values, now in ms}, or 'identity_not_found'.
]]
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 'identity_not_found'
end
redis.call('HSET', KEYS[1], unpack(ARGV))
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return {
  redis.call('HGETALL', KEYS[1]),
  redis.call('HVALS', KEYS[2]),
  string.format('%.0f', nowMs),
}
