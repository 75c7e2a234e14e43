--[[
  Lists clients among those present in a channel, or goes on listing them.
  KEYS  1 present: each client's info, with the millisecond until which it counts
  ARGV  1 for how many milliseconds  2… infos
  Gives nothing.
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local untilMs = string.format('%.0f', now + tonumber(ARGV[1]))
local scored = {}
for i = 2, #ARGV do
  scored[#scored + 1] = untilMs
  scored[#scored + 1] = ARGV[i]
end
redis.call('ZADD', KEYS[1], unpack(scored))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return false
