--[[
  Reads an identity for whoever shows its registration access token.
  KEYS  1 identity  2 codes
  ARGV  1 registration access token's hash
  Gives {identity's fields, codes' values, now in ms}, or 'not_registered', or 'identity_suspended'.
]]
local fields = redis.call('HMGET', KEYS[1], 'state', 'registrationToken')
if not fields[2] or fields[2] == '' or fields[2] ~= ARGV[1] then
  return 'not_registered'
end
if fields[1] ~= 'active' then
  return 'identity_suspended'
end
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return {
  redis.call('HGETALL', KEYS[1]),
  redis.call('HVALS', KEYS[2]),
  string.format('%.0f', nowMs),
}
