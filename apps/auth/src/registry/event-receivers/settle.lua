--[[
  Records what became of queued events.
  KEYS  1 event-receivers  2 event-progress  3 event-queue  4 queued-events
  ARGV  1 receiver's id  2 now in ms  3 what the last failure was, or ''
        4 and 5: jti and JSON of the notice that events were missed
        then jti, 'delivered' | 'refused' | 'expired', …
  Gives how many this has {delivered, refused, expired}: what someone else has settled is not counted
  again.
]]
local counts = { delivered = 0, refused = 0, expired = 0 }
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  return { 0, 0, 0 }
end
for i = 6, #ARGV, 2 do
  local jti, outcome = ARGV[i], ARGV[i + 1]
  if redis.call('HDEL', KEYS[4], jti) == 1 then
    redis.call('ZREM', KEYS[3], jti)
    counts[outcome] = counts[outcome] + 1
  end
end
for outcome, count in pairs(counts) do
  if count > 0 then
    redis.call('HINCRBY', KEYS[2], outcome, count)
  end
end
if counts.delivered > 0 then
  redis.call('HSET', KEYS[2], 'lastDeliveredAt', ARGV[2])
end
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[2], 'lastFailureAt', ARGV[2], 'lastFailure', ARGV[3])
end
if counts.expired > 0 then
  local before = redis.call('HGET', KEYS[2], 'notice')
  if before then
    redis.call('ZREM', KEYS[3], before)
    redis.call('HDEL', KEYS[4], before)
  end
  redis.call('HSET', KEYS[2], 'notice', ARGV[4])
  redis.call('HSET', KEYS[4], ARGV[4], ARGV[5])
  redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[2], 'sequence', 1), ARGV[4])
end
return { counts.delivered, counts.refused, counts.expired }
