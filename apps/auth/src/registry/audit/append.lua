--[[
  Appends entries to the audit log of one partition, each with its own microsecond, and removes entries
  that exceed the age or the length.

  KEYS[2]…   streams
  maxLength  of each stream
  news       channel on which the append is announced
  ARGV[4]…   for each entry: the number of its stream's key in KEYS, and its JSON

  Returns nothing.
]]
--- @include "../lua/partition-clock.lua"
local clockKey, firstStream = KEYS[1], 2
local maxLength, maxAgeMs, news, firstEntry = ARGV[1], tonumber(ARGV[2]), ARGV[3], 4

local now, last = readClock(clockKey)
for i = firstEntry, #ARGV, 2 do
  last = math.max(now, last + 1)
  redis.call('XADD', KEYS[tonumber(ARGV[i])], 'MAXLEN', '=', maxLength,
    string.format('%.0f-0', last), 'entry', ARGV[i + 1])
end
redis.call('SET', clockKey, string.format('%.0f', last))
local oldest = string.format('%.0f-0', math.max(0, now - maxAgeMs * 1000))
for i = firstStream, #KEYS do
  redis.call('XTRIM', KEYS[i], 'MINID', '=', oldest)
end
redis.call('PUBLISH', news, '')
return false
