--[[
  Replaces what a client has registered, for whoever shows its registration access token. With
  registration-refusal.lua.
  KEYS  1 identity  2 codes
  ARGV  1 registration access token's hash  2 scopes  3 jwks as JSON or ''  4 client metadata as JSON
        5 hash of a code to add if none works, or '' to remove all codes  6 its id
  Gives {identity's fields, codes' values, now in ms, 1 if the code was added else 0}, or
  'not_registered', or 'identity_suspended'; then nothing has changed.
]]
local refusal = registrationRefusal(KEYS[1], ARGV[1])
if refusal then
  return refusal
end
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('HSET', KEYS[1], 'scopes', ARGV[2], 'jwks', ARGV[3], 'client', ARGV[4])

local added = 0
if ARGV[5] == '' then
  redis.call('DEL', KEYS[2])
else
  local works = false
  for _, value in ipairs(redis.call('HVALS', KEYS[2])) do
    local expiresAt = string.match(value, '(%S+)$')
    works = works or expiresAt == '-' or tonumber(expiresAt) > nowMs
  end
  if not works then
    redis.call('HSET', KEYS[2], ARGV[5], string.format('%s %.0f -', ARGV[6], nowMs))
    added = 1
  end
end
return {
  redis.call('HGETALL', KEYS[1]),
  redis.call('HVALS', KEYS[2]),
  string.format('%.0f', nowMs),
  added,
}
