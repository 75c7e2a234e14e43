--[[
  Deletes a receiver of security events with all that waits for it.
  KEYS  1 event-receivers  2 event-progress  3 event-queue  4 queued-events  5 event-pusher
  ARGV  1 id
  Gives 1, or 0 when there is none.
]]
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
return redis.call('HDEL', KEYS[1], ARGV[1])
