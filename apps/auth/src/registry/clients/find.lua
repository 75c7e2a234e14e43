--[[
  Reads an identity for whoever shows its registration access token. With
  registration-refusal.lua.
  KEYS  1 identity  2 codes
  ARGV  1 registration access token's hash
  Gives {identity's fields, codes' values, now in ms}, or 'not_registered', or 'identity_suspended'.
]]
local refusal = registrationRefusal(KEYS[1], ARGV[1])
if refusal then
  return refusal
end
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return {
  redis.call('HGETALL', KEYS[1]),
  redis.call('HVALS', KEYS[2]),
  string.format('%.0f', nowMs),
}
