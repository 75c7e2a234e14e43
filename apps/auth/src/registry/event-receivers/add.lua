--[[
  Adds a receiver of security events.
  KEYS  1 event-receivers  2 event-progress
  ARGV  1 id  2 receiver as JSON  3 the feed's end: it hears of what comes after  4 most receivers
  Gives 1, or 0 when there are as many as there may be.
]]
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], 'cursor', ARGV[3])
return 1
