--[[
  Reads a channel's history and the end of its stream. Creates the stream at offset 0 when it does
  not exist, so that a subscriber has a position to recover from before the first publication.

  KEYS  1 streamKey
        2 placeKey
  ARGV  1 limit          maximum number of publications; 0: only the position; negative: no limit
        2 since          exclusive offset, or ''
        3 reverse        '1': newest first
        4 newEpoch       used when the stream does not exist
        5 placeSeconds   lifetime of a new stream's position
        6 maxBytes       of publications; the first is returned whatever its size
  Returns {offset, epoch, {{id, {'pub', publication}}…}}. An entry whose previous offset is not its
  own minus 1 also has 'after' and that offset; see publish.lua.
]]
local streamKey, placeKey = KEYS[1], KEYS[2]
local limit, since, reverse = tonumber(ARGV[1]), ARGV[2], ARGV[3] == '1'
local newEpoch, placeSeconds, maxBytes = ARGV[4], ARGV[5], tonumber(ARGV[6])

local place = redis.call('HMGET', placeKey, 'offset', 'epoch')
local offset, epoch = place[1] or '0', place[2]
if not epoch then
  epoch = newEpoch
  local info = redis.pcall('INFO', 'replication')
  local replicationId = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or ''
  redis.call('HSET', placeKey, 'epoch', epoch, 'offset', offset, 'line', replicationId)
  redis.call('EXPIRE', placeKey, placeSeconds)
  redis.call('DEL', streamKey)
end
-- No publication precedes offset 0, and Redis rejects an interval that ends before it.
if limit == 0 or (reverse and since == '0') then
  return { offset, epoch, {} }
end
local command, from, to = 'XRANGE', '-', '+'
if reverse then
  command, from, to = 'XREVRANGE', '+', '-'
end
if since ~= '' then
  from = '(' .. since .. '-0'
end
local bytesLeft, entries = maxBytes, {}
while limit < 0 or #entries < limit do
  local count = 32
  if limit >= 0 then
    count = math.min(count, limit - #entries)
  end
  local page = redis.call(command, streamKey, from, to, 'COUNT', count)
  for _, entry in ipairs(page) do
    bytesLeft = bytesLeft - #entry[2][2]
    if bytesLeft < 0 and #entries > 0 then
      return { offset, epoch, entries }
    end
    entries[#entries + 1] = entry
  end
  if #page < count then
    break
  end
  from = '(' .. page[#page][1]
end
return { offset, epoch, entries }
