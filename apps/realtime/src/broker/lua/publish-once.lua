--[[
  Publishes into a channel without a history, unless that was done under this idempotency key.
  KEYS  1 Redis channel of its publications  2 the idempotency key
  ARGV  1 publication  2 seconds of the idempotency key
  Gives 1, or 0 when it was done.
]]
if not redis.call('SET', KEYS[2], '', 'NX', 'EX', ARGV[2]) then
  return 0
end
redis.call('PUBLISH', KEYS[1], ARGV[1])
return 1
