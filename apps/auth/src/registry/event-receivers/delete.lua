--[[
  Deletes a receiver of security events and its queue.

  Returns 1, or 0 when there is no such receiver.
]]
local receiversKey, progressKey, queueKey, eventsKey, pusherKey =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local receiverId = ARGV[1]

redis.call('DEL', progressKey, queueKey, eventsKey, pusherKey)
return redis.call('HDEL', receiversKey, receiverId)
