--[[
  Publishes into a channel without a history, at most once under an idempotency key.

  KEYS  1 onceKey
  ARGV  1 publication    encoded
        2 onceSeconds    lifetime of the idempotency key
        3 redisChannel   of the channel's messages
  Returns 1 when it published, 0 when an earlier call did.
]]
local onceKey = KEYS[1]
local publication, onceSeconds, redisChannel = ARGV[1], ARGV[2], ARGV[3]

if not redis.call('SET', onceKey, '', 'NX', 'EX', onceSeconds) then
  return 0
end
redis.call('SPUBLISH', redisChannel, publication)
return 1
