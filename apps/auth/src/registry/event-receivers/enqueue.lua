--[[
  Adds events to a receiver's queue and moves its cursor in the feed, in one step: when several auth
  instances have read the same events, the first to arrive queues them. When the queue exceeds
  `maxQueued`, the oldest events are dropped, and a notice that events were missed is queued.

  from, to             the cursor before and after the events; both '' leave the cursor alone
  lost                 'lost' when the events after `from` are unknown, else ''
  noticeJti, notice    the notice that events were missed; notice is JSON
  lastAll              id of the last revocation of everything among the events, or ''
  ARGV[9]…             jti, JSON, … of the events

  Returns {queued, dropped}, or nil when the cursor is not `from`, or there is no such receiver.
]]
--- @include "../lua/event-queue.lua"
local receiversKey, progressKey, queueKey, eventsKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local receiverId, from, to, maxQueued, lost = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local noticeJti, notice, lastAll, firstEvent = ARGV[6], ARGV[7], ARGV[8], 9

if redis.call('HEXISTS', receiversKey, receiverId) == 0 then
  return false
end
if to ~= '' then
  if redis.call('HGET', progressKey, 'cursor') ~= from then
    return false
  end
  redis.call('HSET', progressKey, 'cursor', to)
end
if lastAll ~= '' then
  redis.call('HSET', progressKey, 'lastAll', lastAll)
end

local queued = 0
for i = firstEvent, #ARGV, 2 do
  queued = queued + queueEvent(progressKey, queueKey, eventsKey, ARGV[i], ARGV[i + 1])
end
local dropped = 0
local over = redis.call('ZCARD', queueKey) - maxQueued
if over > 0 then
  local oldest = redis.call('ZPOPMIN', queueKey, over)
  for i = 1, #oldest, 2 do
    dropped = dropped + redis.call('HDEL', eventsKey, oldest[i])
  end
  redis.call('HINCRBY', progressKey, 'dropped', dropped)
end
if lost == 'lost' then
  redis.call('HINCRBY', progressKey, 'lost', 1)
end
if lost == 'lost' or dropped > 0 then
  queueNotice(progressKey, queueKey, eventsKey, noticeJti, notice)
end
return { queued, dropped }
