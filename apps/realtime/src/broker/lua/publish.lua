--[[
  Publishes into a channel with a history: gives the publication its offset, keeps it, and sends it to
  every node, in one step.
  KEYS  1 stream  2 place  3 Redis channel of its publications  4 what was published under an
        idempotency key; may be missing
  ARGV  1 publication  2 how many are kept  3 for how many seconds  4 epoch, should it begin anew
        5 seconds for which the place outlives the last publication  6 seconds of the idempotency key
  Gives {offset, epoch}.
]]
if KEYS[4] then
  local done = redis.call('HMGET', KEYS[4], 'offset', 'epoch')
  if done[1] then
    return done
  end
end
local epoch = redis.call('HGET', KEYS[2], 'epoch')
if not epoch then
  epoch = ARGV[4]
  redis.call('HSET', KEYS[2], 'epoch', epoch)
  redis.call('DEL', KEYS[1])
end
local offset = string.format('%.0f', redis.call('HINCRBY', KEYS[2], 'offset', 1))
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], offset .. '-0', 'pub', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', KEYS[3], 'p' .. offset .. ' ' .. epoch .. '\n' .. ARGV[1])
if KEYS[4] then
  redis.call('HSET', KEYS[4], 'offset', offset, 'epoch', epoch)
  redis.call('EXPIRE', KEYS[4], ARGV[6])
end
return { offset, epoch }
