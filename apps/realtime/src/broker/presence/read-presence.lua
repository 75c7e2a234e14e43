--[[
  Reads one page of the clients present in a channel.

  KEYS  1 presentKey     sorted set: each client's info, by expiry in Unix milliseconds
  ARGV  1 offset
        2 count
  Returns their infos.
]]
local presentKey = KEYS[1]
local offset, count = ARGV[1], ARGV[2]

local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
return redis.call('ZRANGEBYSCORE', presentKey, now, '+inf', 'LIMIT', offset, count)
