--[[
  Appends entries to the audit log of one partition, each with a microsecond of its own, and removes
  what is too old or too many. With partition-clock.lua.
  KEYS  1 clock  2… streams
  ARGV  1 most entries of a stream  2 oldest age in ms  3 channel for news
        4… for each entry: the number of its stream's key, and its JSON
  Gives nothing.
]]
local now, last = readClock(KEYS[1])
for i = 4, #ARGV, 2 do
  last = math.max(now, last + 1)
  redis.call('XADD', KEYS[tonumber(ARGV[i])], 'MAXLEN', '=', ARGV[1],
    string.format('%.0f-0', last), 'entry', ARGV[i + 1])
end
redis.call('SET', KEYS[1], string.format('%.0f', last))
local oldest = string.format('%.0f-0', math.max(0, now - tonumber(ARGV[2]) * 1000))
for i = 2, #KEYS do
  redis.call('XTRIM', KEYS[i], 'MINID', '=', oldest)
end
redis.call('PUBLISH', ARGV[3], '')
return false
