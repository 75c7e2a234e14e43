--[[
  Replaces what a client has registered, for whoever shows its registration access token. Keys and a
  code that come by that token have its ceiling. With registration-refusal.lua and administrator.lua.
  KEYS  1 identity  2 codes  3 removed codes
  ARGV  1 registration access token's hash  2 scopes  3 jwks as JSON or ''  4 client metadata as JSON
        5 hash of a code to add if none works, or '' to remove all codes  6 its id
        7 '1' when the identity has to stay an administrator, else ''
  Returns {identity's fields, codes' values, now in ms, 1 if the code was added else 0}, or
  'not_registered', 'identity_suspended' or 'last_administrator'; then nothing has changed.
]]
local refusal = registrationRefusal(KEYS[1], ARGV[1])
if refusal then
  return refusal
end
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local fields = redis.call('HMGET', KEYS[1], 'state', 'jwks', 'jwksCeiling', 'registrationCeiling')
local ceiling = fields[4] or ''
local jwksCeiling = ceiling
if ARGV[3] == (fields[2] or '') then
  jwksCeiling = fields[3] or ''
end

local codes = ARGV[5] == '' and {} or redis.call('HVALS', KEYS[2])
local works = false
for _, value in ipairs(codes) do
  local expiresAt = string.match(value, '^%S+ %S+ (%S+)')
  works = works or expiresAt == '-' or tonumber(expiresAt) > nowMs
end
local added = nil
if ARGV[5] ~= '' and not works then
  added = string.format('%s %.0f -', ARGV[6], nowMs)
  if ceiling ~= '' then
    added = added .. ' ' .. ceiling
  end
  table.insert(codes, added)
end
if ARGV[7] == '1' and administersNow(KEYS[1], KEYS[2])
  and not administers(fields[1], ARGV[2], ARGV[3], jwksCeiling, codes) then
  return 'last_administrator'
end

if ARGV[5] == '' then
  rememberRemoved(KEYS[1], KEYS[3], redis.call('HKEYS', KEYS[2]))
  redis.call('DEL', KEYS[2])
elseif added then
  redis.call('HSET', KEYS[2], ARGV[5], added)
end
redis.call('HSET', KEYS[1], 'scopes', ARGV[2], 'jwks', ARGV[3], 'client', ARGV[4],
  'jwksCeiling', jwksCeiling)
return {
  redis.call('HGETALL', KEYS[1]),
  redis.call('HVALS', KEYS[2]),
  string.format('%.0f', nowMs),
  added and 1 or 0,
}
