--[[
  Records a new token if its identity is active, the signing key is not revoked, and the token that
  issues it (its parent), if any, is active. A token never outlives its parent.

  The token is signed before it is recorded, so that no record is without the digest of its text. The
  text contains iat and exp, which the caller has foreseen: if they are not those of this clock, nothing
  is recorded, and the caller signs again.

  iat, exp    of the signed text, in seconds
  digest      of the signed text
  parentKey   nil when the token has no parent
  address     the address that the token was requested from
  kid         the key that has signed the token
  parentJti   '' when the token has no parent
  maxParents  how many parents a token may have
  maxTokens   how many live tokens an identity may have

  Returns {issuedUs, expiresAt in ms} as strings; or {'other_times', iat, exp}; or 'identity_not_found',
  'identity_suspended', 'key_revoked', 'parent_ended', 'too_many_parents', or {'too_many_tokens', ms until
  there is room}.
]]
--- @include "../lua/partition-clock.lua"
--- @include "../lua/token-index.lua"
local clockKey, identityKey, tokenKey, indexKey, expiringKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local revokedKeysKey, cutoffAllKey, cutoffsKey, parentKey = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local client, subject, scope, ttlSeconds, labels = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local address, jti, kid, parentJti = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local maxParents, maxTokens = tonumber(ARGV[10]), tonumber(ARGV[11])
local iat, exp, digest = ARGV[12], ARGV[13], ARGV[14]

if redis.call('SISMEMBER', revokedKeysKey, kid) == 1 then
  return 'key_revoked'
end
local identity = redis.call('HMGET', identityKey, 'state', 'createdUs')
if not identity[1] then
  return 'identity_not_found'
end
if identity[1] ~= 'active' then
  return 'identity_suspended'
end
local now = nextMoment(clockKey)
local issuedUs = string.format('%.0f', now)

-- The exp claim of a JWT has whole seconds: rounded up, so that registry and token agree.
local second = math.ceil(now / 1000000) * 1000
local expires = second + tonumber(ttlSeconds) * 1000

local parents = ''
if parentJti ~= '' then
  local parent = redis.call('HMGET', parentKey,
    'identity', 'issuedUs', 'expiresAt', 'revoked', 'subject', 'labels', 'parents')
  if parent[1] ~= client or parent[4] then
    return 'parent_ended'
  end
  local parentUs = tonumber(parent[2])
  local grandparents = parent[7] or ''
  if parentUs <= tonumber(redis.call('GET', cutoffAllKey) or '-1')
    or parentUs <= tonumber(identity[2])
    or isCutOff(cutoffsKey, parentUs, parent[5], parent[6], grandparents) then
    return 'parent_ended'
  end
  -- With less than a second left, the new token would have expired when it is issued.
  if tonumber(parent[3]) < second + 1000 then
    return 'parent_ended'
  end
  parents = grandparents == '' and parentJti or parentJti .. ' ' .. grandparents
  local _, more = string.gsub(parents, ' ', ' ')
  if more + 1 > maxParents then
    return 'too_many_parents'
  end
  expires = math.min(expires, tonumber(parent[3]))
end

local issuedSecond = string.format('%.0f', math.floor(now / 1000000))
local expirySecond = string.format('%.0f', expires / 1000)
if iat ~= issuedSecond or exp ~= expirySecond then
  return { 'other_times', issuedSecond, expirySecond }
end

-- Each issue removes more expired tokens than the one it adds, but few enough not to block Redis.
local nowMs = string.format('%.0f', math.floor(now / 1000))
prune(indexKey, expiringKey, nowMs, 16)
local waitMs = waitForRoom(expiringKey, nowMs, maxTokens)
if waitMs > 0 then
  return { 'too_many_tokens', string.format('%.0f', waitMs) }
end

local expiresAt = string.format('%.0f', expires)
redis.call('HSET', tokenKey, 'digest', digest, 'identity', client, 'subject', subject, 'scope', scope,
  'labels', labels, 'issuedUs', issuedUs, 'expiresAt', expiresAt, 'issuedFrom', address,
  'parents', parents)
redis.call('PEXPIREAT', tokenKey, expiresAt)

addToken(indexKey, expiringKey, {
  issuedUs = issuedUs,
  jti = jti,
  subject = subject,
  labels = labels,
  parents = parents,
  expiresAt = expiresAt,
})
setExpiry(indexKey, expiringKey)
return { issuedUs, expiresAt }
