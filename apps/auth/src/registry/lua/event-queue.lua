--[[
  Functions for scripts that queue events for a receiver of security events: `queueKey` orders them,
  `eventsKey` holds them by jti, `progressKey` has the receiver's counters.
]]

-- Queues an event. Returns 1, or 0 when an event with this jti is queued already.
local function queueEvent(progressKey, queueKey, eventsKey, jti, json)
  if redis.call('HSETNX', eventsKey, jti, json) == 0 then
    return 0
  end
  redis.call('ZADD', queueKey, redis.call('HINCRBY', progressKey, 'sequence', 1), jti)
  return 1
end

-- Queues the notice that events were missed. Replaces an earlier notice, which may be on its way already
-- and does not cover these events.
local function queueNotice(progressKey, queueKey, eventsKey, jti, json)
  local before = redis.call('HGET', progressKey, 'notice')
  if before then
    redis.call('ZREM', queueKey, before)
    redis.call('HDEL', eventsKey, before)
  end
  redis.call('HSET', progressKey, 'notice', jti)
  queueEvent(progressKey, queueKey, eventsKey, jti, json)
end
