--[[
  Checks tokens of one partition. A token is active only when every check holds.

  KEYS[3]…  for each token: its hash, its identity, the cut-offs of that identity
  ARGV      for each token: the identity that its claims name; the kid of the key that signed it, or ''

  Returns for each token nil, or {issuedUs, subject, scope, labels, expiresAt in ms, parents}.
]]
--- @include "../lua/redis-time.lua"
--- @include "../lua/token-index.lua"
local cutoffAllKey, revokedKeysKey, firstToken = KEYS[1], KEYS[2], 3

local nowMs = redisTimeMs()
local cutoffAll = tonumber(redis.call('GET', cutoffAllKey) or '-1')
local someKeysRevoked = redis.call('EXISTS', revokedKeysKey) == 1

-- Many tokens of a batch share an identity: read each identity once.
local identities = {}
local function identityAt(identityKey, cutoffsKey)
  local known = identities[identityKey]
  if not known then
    local fields = redis.call('HMGET', identityKey, 'state', 'createdUs')
    known = {
      active = fields[1] == 'active',
      createdUs = fields[2] and tonumber(fields[2]) or math.huge,
      cutoffs = redis.call('EXISTS', cutoffsKey) == 1,
    }
    identities[identityKey] = known
  end
  return known
end

local function check(tokenKey, identityKey, cutoffsKey, client, kid)
  -- The holder of a revoked key can sign for any live token, also one issued after the cut-off.
  if someKeysRevoked and redis.call('SISMEMBER', revokedKeysKey, kid) == 1 then
    return false
  end
  local token = redis.call('HMGET', tokenKey,
    'identity', 'issuedUs', 'expiresAt', 'revoked', 'subject', 'scope', 'labels', 'parents')
  if token[1] ~= client or token[4] then
    return false
  end
  local issuedUs = tonumber(token[2])
  if nowMs >= tonumber(token[3]) or issuedUs <= cutoffAll then
    return false
  end
  local identity = identityAt(identityKey, cutoffsKey)
  -- A token older than its identity belongs to a deleted identity of the same name.
  if not identity.active or issuedUs <= identity.createdUs then
    return false
  end
  local parents = token[8] or ''
  if identity.cutoffs and isCutOff(cutoffsKey, issuedUs, token[5], token[7], parents) then
    return false
  end
  return { token[2], token[5], token[6], token[7], token[3], parents }
end

local answers = {}
for i = 1, #ARGV / 2 do
  local at = firstToken + (i - 1) * 3
  answers[i] = check(KEYS[at], KEYS[at + 1], KEYS[at + 2], ARGV[i * 2 - 1], ARGV[i * 2])
end
return answers
