--[[
  Creates an identity, with its first registration code when `codeHash` is not ''.

  ceiling  scopes that bound the code, the keys (jwks) and the registration access token; '' for none
  nodes    names of the identity's nodes, or ''

  Returns {fields of the identity, values of its codes, now in ms}; or 'identity_exists', or
  'code_removed' when an administrator of this name had the code before and it was removed.
]]
--- @include "../lua/identity-reply.lua"
--- @include "../lua/partition-clock.lua"
local clockKey, identityKey, codesKey, identitiesKey, removedCodesKey =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local identity, scopes, tokenTtlSeconds, labels = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local codeHash, codeId, codeTtlSeconds = ARGV[5], ARGV[6], ARGV[7]
local jwks, client, registrationTokenHash = ARGV[8], ARGV[9], ARGV[10]
local ceiling, nodes = ARGV[11], ARGV[12]

if redis.call('EXISTS', identityKey) == 1 then
  return 'identity_exists'
end
if codeHash ~= '' and redis.call('SISMEMBER', removedCodesKey, codeHash) == 1 then
  return 'code_removed'
end
-- Later than the cut-off of a deleted identity of this name, whose tokens do not become this one's.
local now = nextMoment(clockKey)
local nowMs = math.floor(now / 1000)
redis.call('HSET', identityKey, 'state', 'active', 'scopes', scopes,
  'tokenTtlSeconds', tokenTtlSeconds, 'labels', labels, 'createdUs', string.format('%.0f', now),
  'jwks', jwks, 'client', client, 'registrationToken', registrationTokenHash,
  'jwksCeiling', ceiling, 'registrationCeiling', ceiling, 'nodes', nodes)
if codeHash ~= '' then
  local expiresAt = '-'
  if codeTtlSeconds ~= '' then
    expiresAt = string.format('%.0f', nowMs + tonumber(codeTtlSeconds) * 1000)
  end
  local value = string.format('%s %.0f %s', codeId, nowMs, expiresAt)
  if ceiling ~= '' then
    value = value .. ' ' .. ceiling
  end
  redis.call('HSET', codesKey, codeHash, value)
end
redis.call('ZADD', identitiesKey, 0, identity)
return identityReply(identityKey, codesKey, nowMs)
