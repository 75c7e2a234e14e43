--[[
  Commits a revocation in one partition, in one step: flags the token or moves the cut-off, appends to
  the feed, and writes the receipt with a pending part for each process that must acknowledge it. In the
  same step it may suspend or delete the identity, or revoke a signing key.

  Keys of an identity or token that the revocation does not name are keys that do not exist.

  selector        JSON
  kind            'token' | 'cutoff' | 'all'
  jti             the token's id; '' unless kind is 'token'
  member          the cut-off to move: the selector's own, or with kind 'token' that of the tokens that
                  the token has issued; '' for none
  identity        the identity of the selector or of the token; '' without one, or when the token is
                  unknown
  issuedBeforeMs  '' for now
  change          what happens to the identity: '' | 'suspend' | 'delete'
  mustAdminister  '1' when the identity must remain an administrator, else ''
  kid             a signing key to revoke, or ''
  news            channel on which the commit is announced
  unlisted        '1' when lists of receipts and security events leave the revocation out, else ''

  Returns {us, cutoffUs, before, cascadeBefore} as strings. `before` is the previous cut-off, or the
  token's previous flag; `cascadeBefore` is the previous cut-off of the tokens that the token has issued;
  nil for none. Or returns 'identity_not_found', 'last_administrator' or 'issued_before_in_future',
  having changed nothing.
]]
--- @include "../lua/administrator.lua"
--- @include "../lua/lease.lua"
--- @include "../lua/partition-clock.lua"
--- @include "../lua/token-index.lua"
local clockKey, feedKey, rosterKey, leasesKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local pendingKey, pendingTimesKey, receiptsKey, receiptKey = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local tokenKey, indexKey, cutoffsKey, cutoffAllKey = KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local identityKey, codesKey, removedCodesKey, identitiesKey = KEYS[13], KEYS[14], KEYS[15], KEYS[16]
local revokedKeysKey = KEYS[17]
local id, selector, kind, jti, member, identity = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local issuedBeforeMs, reason, change, mustAdminister, kid = ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11]
local feedMaxLength = ARGV[12]
local receiptTtlMs, maxTokenTtlMs = tonumber(ARGV[13]) * 1000, tonumber(ARGV[14]) * 1000
local fenceMs, news, unlisted = ARGV[15], ARGV[16], ARGV[17]

if change ~= '' and redis.call('EXISTS', identityKey) == 0 then
  return 'identity_not_found'
end
if change ~= '' and mustAdminister == '1' and administersNow(identityKey, codesKey) then
  return 'last_administrator'
end
local timeUs, last = readClock(clockKey)
local now = math.max(timeUs, last + 1)
local cutoff = now
if issuedBeforeMs ~= '' then
  cutoff = tonumber(issuedBeforeMs) * 1000 - 1
  if cutoff > now then
    return 'issued_before_in_future'
  end
end
local us = string.format('%.0f', now)
local cutoffUs = string.format('%.0f', cutoff)
local nowMs = math.floor(now / 1000)
redis.call('SET', clockKey, us)

-- A cut-off is kept until every token that it covers has expired; the minute is for rounding.
local keepMs = maxTokenTtlMs + 60 * 1000
local keepUntil = string.format('%.0f', nowMs + keepMs)
local function moveCutoff()
  local before = redis.call('ZSCORE', cutoffsKey, member)
  redis.call('ZREMRANGEBYSCORE', cutoffsKey, '-inf', string.format('%.0f', timeUs - keepMs * 1000))
  -- GT: a cut-off never moves backwards.
  redis.call('ZADD', cutoffsKey, 'GT', cutoffUs, member)
  redis.call('PEXPIREAT', cutoffsKey, keepUntil)
  return before
end
local before, cascadeBefore = false, false
if kind == 'token' then
  -- An unknown token is published all the same: a connection somewhere may use it.
  local token = redis.call('HMGET', tokenKey, 'issuedUs', 'revoked')
  before = token[2]
  if token[1] and tonumber(token[1]) <= cutoff then
    redis.call('HSET', tokenKey, 'revoked', '1')
    -- Only beside the token's other entries: pruning removes those, and `!` with them.
    local place = placeOf(token[1], jti)
    if redis.call('ZSCORE', indexKey, '*' .. place) then
      redis.call('ZADD', indexKey, 0, '!' .. place)
    end
  end
  if member ~= '' and identity ~= '' then
    cascadeBefore = moveCutoff()
  end
elseif kind == 'cutoff' then
  before = moveCutoff()
else
  before = redis.call('GET', cutoffAllKey)
  if not before or tonumber(before) < cutoff then
    redis.call('SET', cutoffAllKey, cutoffUs)
  end
  redis.call('PEXPIREAT', cutoffAllKey, keepUntil)
end

if kid ~= '' then
  -- Kept for ever: a process that was stopped may still know the key when it continues.
  redis.call('SADD', revokedKeysKey, kid)
end
if change == 'suspend' then
  redis.call('HSET', identityKey, 'state', 'suspended')
elseif change == 'delete' then
  rememberRemoved(identityKey, removedCodesKey, redis.call('HKEYS', codesKey))
  redis.call('DEL', identityKey, codesKey)
  redis.call('ZREM', identitiesKey, identity)
end

-- Each event names the event before it, so that a reader sees when it has missed one. Trimming always
-- leaves the last event.
local previous = feedEnd(feedKey)
local sequence = tonumber(string.match(previous, '^(%d+)')) + 1
redis.call('XADD', feedKey, 'MAXLEN', '=', feedMaxLength, string.format('%.0f-%s', sequence, us),
  'previous', previous, 'id', id, 'selector', selector, 'cutoffUs', cutoffUs)
redis.call('PUBLISH', news, '')

-- Removes a few receipts that have expired from the lists.
local expired = string.format('(%.0f', timeUs - receiptTtlMs * 1000)
for _, old in ipairs(redis.call('ZRANGEBYSCORE', receiptsKey, '-inf', expired, 'LIMIT', 0, 16)) do
  redis.call('ZREM', receiptsKey, old)
end
for _, part in ipairs(redis.call('ZRANGEBYSCORE', pendingTimesKey, '-inf', expired, 'LIMIT', 0, 256)) do
  redis.call('ZREM', pendingTimesKey, part)
  redis.call('ZREM', pendingKey, part)
end
redis.call('HSET', receiptKey, 'us', us, 'cutoffUs', cutoffUs, 'selector', selector, 'reason', reason)

openRoster(rosterKey, clockKey, leasesKey, fenceMs)
local leases = redis.call('HGETALL', leasesKey)
for i = 1, #leases, 2 do
  local part = leases[i]
  local _, _, fenced = parseLease(leases[i + 1])
  if fenced == '-' then
    local pending = string.format('%s|%016.0f|%s', part, now, id)
    redis.call('HSET', receiptKey, 'node:' .. part, 'pending')
    redis.call('ZADD', pendingKey, 0, pending)
    redis.call('ZADD', pendingTimesKey, us, pending)
  else
    -- A fenced part delivers nothing, and learns of this revocation before it delivers again.
    redis.call('HSET', receiptKey, 'node:' .. part, 'fenced 0')
  end
end
redis.call('PEXPIREAT', receiptKey, string.format('%.0f', nowMs + receiptTtlMs))
if unlisted == '1' then
  redis.call('HSET', receiptKey, 'unlisted', '1')
else
  redis.call('ZADD', receiptsKey, us, id)
end
return { us, cutoffUs, before, cascadeBefore }
