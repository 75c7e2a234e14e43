--[[
  Adds clients to those present in a channel, or renews them, and removes expired ones.

  KEYS  1 presentKey     sorted set: each client's info, by expiry in Unix milliseconds
  ARGV  1 ttlMs
        2… infos
  Returns nil.
]]
local presentKey = KEYS[1]
local ttlMs = ARGV[1]

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local expiry = string.format('%.0f', now + tonumber(ttlMs))
local scored = {}
for i = 2, #ARGV do
  scored[#scored + 1] = expiry
  scored[#scored + 1] = ARGV[i]
end
redis.call('ZADD', presentKey, unpack(scored))
redis.call('ZREMRANGEBYSCORE', presentKey, '-inf', string.format('(%.0f', now))
redis.call('PEXPIRE', presentKey, ttlMs)
return false
