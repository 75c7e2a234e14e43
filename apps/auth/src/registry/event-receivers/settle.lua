--[[
  Removes events from a receiver's queue, and counts their outcomes. An event that was settled before is
  not counted again. When events have expired, a notice that events were missed is queued.

  failure            the last failure, or ''
  noticeJti, notice  the notice; notice is JSON
  ARGV[6]…           jti, 'delivered' | 'refused' | 'expired', …

  Returns how many events this call has settled: {delivered, refused, expired}.
]]
--- @include "../lua/event-queue.lua"
local receiversKey, progressKey, queueKey, eventsKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local receiverId, nowMs, failure, noticeJti, notice, firstOutcome =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], 6

local counts = { delivered = 0, refused = 0, expired = 0 }
if redis.call('HEXISTS', receiversKey, receiverId) == 0 then
  return { 0, 0, 0 }
end
for i = firstOutcome, #ARGV, 2 do
  local jti, outcome = ARGV[i], ARGV[i + 1]
  if redis.call('HDEL', eventsKey, jti) == 1 then
    redis.call('ZREM', queueKey, jti)
    counts[outcome] = counts[outcome] + 1
  end
end
for outcome, count in pairs(counts) do
  if count > 0 then
    redis.call('HINCRBY', progressKey, outcome, count)
  end
end
if counts.delivered > 0 then
  redis.call('HSET', progressKey, 'lastDeliveredAt', nowMs)
end
if failure ~= '' then
  redis.call('HSET', progressKey, 'lastFailureAt', nowMs, 'lastFailure', failure)
end
if counts.expired > 0 then
  queueNotice(progressKey, queueKey, eventsKey, noticeJti, notice)
end
return { counts.delivered, counts.refused, counts.expired }
