--[[
  Reads a channel's history, and where it ends. A channel that has none begins at 0: so a subscriber
  has a place to go on from before anything is published.
  KEYS  1 stream  2 place
  ARGV  1 the most to give; 0 none, negative all  2 offset to go on from, or ''  3 '1': newest first
        4 epoch, should it begin anew  5 seconds for which the place is kept
        6 the most bytes of publications to give; the first one is given whatever its size
  Gives {offset, epoch, {id, {'pub', publication}}…}; one that does not follow the offset before its
  own has 'after' and the offset that it follows, see publish.lua.
]]
local place = redis.call('HMGET', KEYS[2], 'offset', 'epoch')
local offset, epoch = place[1] or '0', place[2]
if not epoch then
  epoch = ARGV[4]
  local info = redis.pcall('INFO', 'replication')
  local line = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or ''
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'offset', offset, 'line', line)
  redis.call('EXPIRE', KEYS[2], ARGV[5])
  redis.call('DEL', KEYS[1])
end
-- Before the first there is nothing; Redis takes no interval that ends before it.
if ARGV[1] == '0' or (ARGV[3] == '1' and ARGV[2] == '0') then
  return { offset, epoch, {} }
end
local command, from, to = 'XRANGE', '-', '+'
if ARGV[3] == '1' then
  command, from, to = 'XREVRANGE', '+', '-'
end
if ARGV[2] ~= '' then
  from = '(' .. ARGV[2] .. '-0'
end
local most, left, entries = tonumber(ARGV[1]), tonumber(ARGV[6]), {}
while most < 0 or #entries < most do
  local count = 32
  if most >= 0 then
    count = math.min(count, most - #entries)
  end
  local some = redis.call(command, KEYS[1], from, to, 'COUNT', count)
  for _, entry in ipairs(some) do
    left = left - #entry[2][2]
    if left < 0 and #entries > 0 then
      return { offset, epoch, entries }
    end
    entries[#entries + 1] = entry
  end
  if #some < count then
    break
  end
  from = '(' .. some[#some][1]
end
return { offset, epoch, entries }
