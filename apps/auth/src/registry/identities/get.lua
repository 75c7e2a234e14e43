--[[
  Reads an identity and its codes as they are at one moment.
  KEYS  1 identity  2 codes
  Gives {identity's fields, codes' values, now in ms}, or 'identity_not_found'.
]]
local fields = redis.call('HGETALL', KEYS[1])
if #fields == 0 then
  return 'identity_not_found'
end
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return { fields, redis.call('HVALS', KEYS[2]), string.format('%.0f', nowMs) }
