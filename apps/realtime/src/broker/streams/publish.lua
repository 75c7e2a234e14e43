--[[
  Publishes into a channel with a history: gives the publication its offset, keeps it, and sends it to
  every node, in one step.

  A replica that becomes the master may not have what its master acknowledged last, and a Redis that
  is restarted may have lost it. Those offsets are taken, by publications that somebody has got. So
  when Redis is on another line of replication than at the last publication, offsets go on further up,
  and the first one there names the one it follows: who is further than that has got what is lost.
  KEYS  1 stream  2 place  3 what was published under an idempotency key; may be missing
  ARGV  1 publication  2 how many are kept  3 for how many seconds  4 epoch, should it begin anew
        5 seconds for which the place outlives the last publication  6 seconds of the idempotency key
        7 how far up to go on  8 Redis channel of its publications. It is of this slot, but no key: as
        one it would be missing, and while a slot moves Redis runs nothing with a missing key.
  Gives {offset, epoch}.
]]
if KEYS[3] then
  local done = redis.call('HMGET', KEYS[3], 'offset', 'epoch')
  if done[1] then
    return done
  end
end
local info = redis.pcall('INFO', 'replication')
local line = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or ''
local place = redis.call('HMGET', KEYS[2], 'offset', 'epoch', 'line')
local last, epoch = tonumber(place[1] or '0'), place[2]
local offset = last + 1
if not epoch then
  epoch, offset = ARGV[4], 1
  redis.call('DEL', KEYS[1], KEYS[2])
elseif place[3] ~= line then
  offset = last + tonumber(ARGV[7])
end
local id = string.format('%.0f', offset)
local entry, position = { 'pub', ARGV[1] }, 'p' .. id .. ' ' .. epoch
redis.call('HSET', KEYS[2], 'offset', id, 'epoch', epoch, 'line', line)
if offset > last + 1 then
  local after = string.format('%.0f', last)
  entry = { 'pub', ARGV[1], 'after', after }
  position = position .. ' ' .. after
  redis.call('HSET', KEYS[2], 'forkedAfter', after, 'forkedAt', id)
end
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], id .. '-0', unpack(entry))
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('SPUBLISH', ARGV[8], position .. '\n' .. ARGV[1])
if KEYS[3] then
  redis.call('HSET', KEYS[3], 'offset', id, 'epoch', epoch)
  redis.call('EXPIRE', KEYS[3], ARGV[6])
end
return { id, epoch }
