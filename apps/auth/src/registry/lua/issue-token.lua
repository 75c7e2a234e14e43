--[[
  Records a new token, if its identity exists and is active at this moment. With
  partition-clock.lua and token-index.lua.
  KEYS  1 clock  2 identity  3 token  4 index  5 expiring  6 revoked keys
  ARGV  1 identity  2 subject  3 scope  4 ttl in seconds  5 labels  6 address  7 jti
        8 kid of the key that is to sign it  9 most tokens of an identity that may live
  Gives {issuedUs, expiresAt in ms} as strings, or 'identity_not_found', 'identity_suspended',
  'key_revoked', or {'too_many_tokens', ms until there is room}.
]]
if redis.call('SISMEMBER', KEYS[6], ARGV[8]) == 1 then
  return 'key_revoked'
end
local state = redis.call('HGET', KEYS[2], 'state')
if not state then
  return 'identity_not_found'
end
if state ~= 'active' then
  return 'identity_suspended'
end
local now = nextMoment(KEYS[1])
local issuedUs = string.format('%.0f', now)

-- Each issue removes more than it adds, a few at a time: the index keeps up, and nothing blocks.
local nowMs = string.format('%.0f', math.floor(now / 1000))
prune(KEYS[4], KEYS[5], nowMs, 16)
local waitMs = waitForRoom(KEYS[5], nowMs, tonumber(ARGV[9]))
if waitMs > 0 then
  return { 'too_many_tokens', string.format('%.0f', waitMs) }
end

-- JWT's exp has whole seconds: rounded up, so that registry and token agree on the moment.
local expires = math.ceil(now / 1000000) * 1000 + tonumber(ARGV[4]) * 1000
local expiresAt = string.format('%.0f', expires)
redis.call('HSET', KEYS[3], 'identity', ARGV[1], 'subject', ARGV[2], 'scope', ARGV[3],
  'labels', ARGV[5], 'issuedUs', issuedUs, 'expiresAt', expiresAt, 'issuedFrom', ARGV[6])
redis.call('PEXPIREAT', KEYS[3], expiresAt)

addToken(KEYS[4], KEYS[5], {
  issuedUs = issuedUs,
  jti = ARGV[7],
  subject = ARGV[2],
  labels = ARGV[5],
  expiresAt = expiresAt,
})
setExpiry(KEYS[4], KEYS[5])
return { issuedUs, expiresAt }
