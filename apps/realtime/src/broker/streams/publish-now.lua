--[[
  Publishes to a Redis channel of this slot.
  KEYS  1 the Redis channel, which is no key: it tells a Cluster where to send this
  ARGV  1 message
  Returns the number of receivers.
]]
return redis.call('SPUBLISH', KEYS[1], ARGV[1])
