--[[
  Records a new token, if its identity exists and is active at this moment, and the token that issues
  it, its parent, too. It never outlives its parent. With partition-clock.lua and token-index.lua.
  KEYS  1 clock  2 identity  3 token  4 index  5 expiring  6 revoked keys  7 cutoff-all
        8 the identity's cut-offs  9 parent (only if there is one)
  ARGV  1 identity  2 subject  3 scope  4 ttl in seconds  5 labels  6 address  7 jti
        8 kid of the key that is to sign it  9 parent's jti or ''  10 parents at most
        11 most tokens of an identity that may live
  Gives {issuedUs, expiresAt in ms} as strings, or 'identity_not_found', 'identity_suspended',
  'key_revoked', 'parent_ended', 'too_many_parents', or {'too_many_tokens', ms until there is room}.
]]
if redis.call('SISMEMBER', KEYS[6], ARGV[8]) == 1 then
  return 'key_revoked'
end
local identity = redis.call('HMGET', KEYS[2], 'state', 'createdUs')
if not identity[1] then
  return 'identity_not_found'
end
if identity[1] ~= 'active' then
  return 'identity_suspended'
end
local now = nextMoment(KEYS[1])
local issuedUs = string.format('%.0f', now)

-- JWT's exp has whole seconds: rounded up, so that registry and token agree on the moment.
local second = math.ceil(now / 1000000) * 1000
local expires = second + tonumber(ARGV[4]) * 1000

local parents = ''
if ARGV[9] ~= '' then
  local parent = redis.call('HMGET', KEYS[9],
    'identity', 'issuedUs', 'expiresAt', 'revoked', 'subject', 'labels', 'parents')
  if parent[1] ~= ARGV[1] or parent[4] then
    return 'parent_ended'
  end
  local parentUs = tonumber(parent[2])
  local grandparents = parent[7] or ''
  if parentUs <= tonumber(redis.call('GET', KEYS[7]) or '-1') or parentUs <= tonumber(identity[2])
    or isCutOff(KEYS[8], parentUs, parent[5], parent[6], grandparents) then
    return 'parent_ended'
  end
  -- One that has less than a second left could only issue what has ended.
  if tonumber(parent[3]) < second + 1000 then
    return 'parent_ended'
  end
  parents = grandparents == '' and ARGV[9] or ARGV[9] .. ' ' .. grandparents
  local _, more = string.gsub(parents, ' ', ' ')
  if more + 1 > tonumber(ARGV[10]) then
    return 'too_many_parents'
  end
  expires = math.min(expires, tonumber(parent[3]))
end

-- Each issue removes more than it adds, a few at a time: the index keeps up, and nothing blocks.
local nowMs = string.format('%.0f', math.floor(now / 1000))
prune(KEYS[4], KEYS[5], nowMs, 16)
local waitMs = waitForRoom(KEYS[5], nowMs, tonumber(ARGV[11]))
if waitMs > 0 then
  return { 'too_many_tokens', string.format('%.0f', waitMs) }
end

local expiresAt = string.format('%.0f', expires)
redis.call('HSET', KEYS[3], 'identity', ARGV[1], 'subject', ARGV[2], 'scope', ARGV[3],
  'labels', ARGV[5], 'issuedUs', issuedUs, 'expiresAt', expiresAt, 'issuedFrom', ARGV[6],
  'parents', parents)
redis.call('PEXPIREAT', KEYS[3], expiresAt)

addToken(KEYS[4], KEYS[5], {
  issuedUs = issuedUs,
  jti = ARGV[7],
  subject = ARGV[2],
  labels = ARGV[5],
  parents = parents,
  expiresAt = expiresAt,
})
setExpiry(KEYS[4], KEYS[5])
return { issuedUs, expiresAt }
