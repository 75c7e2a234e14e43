--[[
  Replaces a client's registration, for the holder of its registration access token. New keys and a new
  code get the ceiling of that token.

  jwks            JSON, or ''
  client          client metadata as JSON
  codeHash        hash of a code to add when none works, or '' to remove all codes
  mustAdminister  '1' when the identity must remain an administrator, else ''

  Returns {fields of the identity, values of its codes, now in ms, 1 when the code was added else 0};
  or 'not_registered', 'identity_suspended' or 'last_administrator', having changed nothing.
]]
--- @include "../lua/administrator.lua"
--- @include "../lua/redis-time.lua"
--- @include "./registration-refusal.lua"
local identityKey, codesKey, removedCodesKey = KEYS[1], KEYS[2], KEYS[3]
local registrationTokenHash, scopes, jwks, client = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local codeHash, codeId, mustAdminister = ARGV[5], ARGV[6], ARGV[7]

local refusal = registrationRefusal(identityKey, registrationTokenHash)
if refusal then
  return refusal
end
local nowMs = redisTimeMs()
local fields = redis.call('HMGET', identityKey, 'state', 'jwks', 'jwksCeiling', 'registrationCeiling')
local ceiling = fields[4] or ''
local jwksCeiling = ceiling
if jwks == (fields[2] or '') then
  jwksCeiling = fields[3] or ''
end

local codes = codeHash == '' and {} or redis.call('HVALS', codesKey)
local works = false
for _, value in ipairs(codes) do
  local expiresAt = string.match(value, '^%S+ %S+ (%S+)')
  works = works or expiresAt == '-' or tonumber(expiresAt) > nowMs
end
local added = nil
if codeHash ~= '' and not works then
  added = string.format('%s %.0f -', codeId, nowMs)
  if ceiling ~= '' then
    added = added .. ' ' .. ceiling
  end
  table.insert(codes, added)
end
if mustAdminister == '1' and administersNow(identityKey, codesKey)
  and not administers(fields[1], scopes, jwks, jwksCeiling, codes) then
  return 'last_administrator'
end

if codeHash == '' then
  rememberRemoved(identityKey, removedCodesKey, redis.call('HKEYS', codesKey))
  redis.call('DEL', codesKey)
elseif added then
  redis.call('HSET', codesKey, codeHash, added)
end
redis.call('HSET', identityKey, 'scopes', scopes, 'jwks', jwks, 'client', client,
  'jwksCeiling', jwksCeiling)
return {
  redis.call('HGETALL', identityKey),
  redis.call('HVALS', codesKey),
  string.format('%.0f', nowMs),
  added and 1 or 0,
}
