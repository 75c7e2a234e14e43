--[[
  Adds a receiver of security events.

  cursor  where the receiver starts to read the feed

  Returns 1, or 0 when there are `maxReceivers` already.
]]
local receiversKey, progressKey = KEYS[1], KEYS[2]
local receiverId, receiver, cursor, maxReceivers = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

if redis.call('HLEN', receiversKey) >= maxReceivers then
  return 0
end
redis.call('HSET', receiversKey, receiverId, receiver)
redis.call('HSET', progressKey, 'cursor', cursor)
return 1
