--[[
  Publishes into a channel without a history, unless that was done under this idempotency key.
  KEYS  1 the idempotency key
  ARGV  1 publication  2 seconds of the idempotency key  3 Redis channel of its publications
  Gives 1, or 0 when it was done.
]]
if not redis.call('SET', KEYS[1], '', 'NX', 'EX', ARGV[2]) then
  return 0
end
redis.call('SPUBLISH', ARGV[3], ARGV[1])
return 1
