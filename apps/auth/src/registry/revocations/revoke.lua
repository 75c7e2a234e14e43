--[[
  Commits a revocation in one partition: marks the token or moves the cut-off, appends to the feed,
  and records who has to acknowledge it, in one step. May suspend or delete the identity with it, or,
  when it covers all, revoke a signing key. With partition-clock.lua, lease.lua, token-index.lua and
  administrator.lua.
  KEYS  1 clock  2 feed  3 leases  4 pending  5 pending-times  6 receipts  7 receipt
        8 what is marked: token, or the identity's cut-offs, or cutoff-all
        9 roster  10 identity  11 codes  12 identities  13 removed codes (the last four only with a
        change), or
        10 revoked keys (only with a kid), or
        10 the index that the token is in  11 its identity's cut-offs (both only when it is known)
  ARGV  1 id  2 selector as JSON  3 'token' | 'cutoff' | 'all'
        4 the token's id, or the member of the cut-offs, or ''
        5 issuedBefore in ms or ''  6 reason or ''  7 change: '' | 'suspend' | 'delete'
        8 identity or ''  9 feed's length  10 receipt's ttl in seconds  11 longest token ttl in seconds
        12 fenceMs  13 channel for news  14 kid of a signing key or ''
        15 '1' when the identity has to stay an administrator, else ''
        16 the member of what the token has issued, if that is revoked with it, or ''
  Gives {us, cutoffUs, before, cascadeBefore} as strings; before: the cut-off, or the token's mark,
  before this, or nil; cascadeBefore: the same of what the token has issued. Or
  'identity_not_found', 'last_administrator' or 'issued_before_in_future'; then nothing has changed.
]]
if ARGV[7] ~= '' and redis.call('EXISTS', KEYS[10]) == 0 then
  return 'identity_not_found'
end
if ARGV[7] ~= '' and ARGV[15] == '1' and administersNow(KEYS[10], KEYS[11]) then
  return 'last_administrator'
end
local timeUs, last = readClock(KEYS[1])
local now = math.max(timeUs, last + 1)
local cutoff = now
if ARGV[5] ~= '' then
  cutoff = tonumber(ARGV[5]) * 1000 - 1
  if cutoff > now then
    return 'issued_before_in_future'
  end
end
local us = string.format('%.0f', now)
local cutoffUs = string.format('%.0f', cutoff)
local nowMs = math.floor(now / 1000)
redis.call('SET', KEYS[1], us)

-- A cut-off is kept until no token that it covers can be alive; the minute is for rounding.
local keepMs = (tonumber(ARGV[11]) + 60) * 1000
local keepUntil = string.format('%.0f', nowMs + keepMs)
local before, cascadeBefore = false, false
local function moveCutoff(key, member)
  local moved = redis.call('ZSCORE', key, member)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', timeUs - keepMs * 1000))
  -- GT: never backwards.
  redis.call('ZADD', key, 'GT', cutoffUs, member)
  redis.call('PEXPIREAT', key, keepUntil)
  return moved
end
if ARGV[3] == 'token' then
  local token = redis.call('HMGET', KEYS[8], 'issuedUs', 'revoked')
  before = token[2]
  -- One that is not known here is published all the same: somewhere a connection may stand on it.
  if token[1] and tonumber(token[1]) <= cutoff then
    redis.call('HSET', KEYS[8], 'revoked', '1')
    -- Not without its other entries, which alone are pruned.
    local place = placeOf(token[1], ARGV[4])
    if KEYS[10] and redis.call('ZSCORE', KEYS[10], '*' .. place) then
      redis.call('ZADD', KEYS[10], 0, '!' .. place)
    end
  end
  if ARGV[16] ~= '' and KEYS[11] then
    cascadeBefore = moveCutoff(KEYS[11], ARGV[16])
  end
elseif ARGV[3] == 'cutoff' then
  before = moveCutoff(KEYS[8], ARGV[4])
else
  before = redis.call('GET', KEYS[8])
  if not before or tonumber(before) < cutoff then
    redis.call('SET', KEYS[8], cutoffUs)
  end
  redis.call('PEXPIREAT', KEYS[8], keepUntil)
end

if ARGV[14] ~= '' then
  -- For ever: a process that was stopped may know the key however late it goes on.
  redis.call('SADD', KEYS[10], ARGV[14])
end
if ARGV[7] == 'suspend' then
  redis.call('HSET', KEYS[10], 'state', 'suspended')
elseif ARGV[7] == 'delete' then
  rememberRemoved(KEYS[10], KEYS[13], redis.call('HKEYS', KEYS[11]))
  redis.call('DEL', KEYS[10], KEYS[11])
  redis.call('ZREM', KEYS[12], ARGV[8])
end

-- Each event names the one before it: a reader sees for itself that it has missed none. Trimming
-- always leaves the last one.
local previous = feedEnd(KEYS[2])
local sequence = tonumber(string.match(previous, '^(%d+)')) + 1
redis.call('XADD', KEYS[2], 'MAXLEN', '=', ARGV[9], string.format('%.0f-%s', sequence, us),
  'previous', previous, 'id', ARGV[1], 'selector', ARGV[2], 'cutoffUs', cutoffUs)
redis.call('PUBLISH', ARGV[13], '')

local receiptTtlMs = tonumber(ARGV[10]) * 1000
local forget = string.format('(%.0f', timeUs - receiptTtlMs * 1000)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', forget, 'LIMIT', 0, 16)) do
  redis.call('ZREM', KEYS[6], id)
end
for _, part in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', forget, 'LIMIT', 0, 256)) do
  redis.call('ZREM', KEYS[5], part)
  redis.call('ZREM', KEYS[4], part)
end
redis.call('HSET', KEYS[7], 'us', us, 'cutoffUs', cutoffUs, 'selector', ARGV[2], 'reason', ARGV[6])

openRoster(KEYS[9], KEYS[1], KEYS[3], ARGV[12])
local leases = redis.call('HGETALL', KEYS[3])
for i = 1, #leases, 2 do
  local part = leases[i]
  local _, _, fenced = parseLease(leases[i + 1])
  if fenced == '-' then
    local member = string.format('%s|%016.0f|%s', part, now, ARGV[1])
    redis.call('HSET', KEYS[7], 'node:' .. part, 'pending')
    redis.call('ZADD', KEYS[4], 0, member)
    redis.call('ZADD', KEYS[5], us, member)
  else
    -- It holds every connection, and hears of this before it delivers again.
    redis.call('HSET', KEYS[7], 'node:' .. part, 'fenced 0')
  end
end
redis.call('PEXPIREAT', KEYS[7], string.format('%.0f', nowMs + receiptTtlMs))
redis.call('ZADD', KEYS[6], us, ARGV[1])
return { us, cutoffUs, before, cascadeBefore }
