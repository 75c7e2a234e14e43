--[[
  Tells who is present in a channel, a part of them.
  KEYS  1 present
  ARGV  1 how many to leave out  2 the most to give
  Gives their infos.
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%.0f', now), '+inf', 'LIMIT', ARGV[1], ARGV[2])
