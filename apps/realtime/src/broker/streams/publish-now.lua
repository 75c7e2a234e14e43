--[[
  Publishes a message to a Redis channel.

  KEYS  1 redisChannel   not a key: routes the script to the right master of a Cluster
  ARGV  1 message
  Returns the number of receivers.
]]
local redisChannel = KEYS[1]
local message = ARGV[1]

return redis.call('SPUBLISH', redisChannel, message)
