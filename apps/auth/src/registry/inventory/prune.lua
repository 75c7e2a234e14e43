--[[
  Takes tokens that have expired out of an identity's index. With token-index.lua.
  KEYS  1 index  2 expiring
  ARGV  1 how many at most
  Gives how many it was.
]]
local time = redis.call('TIME')
local nowMs = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
return prune(KEYS[1], KEYS[2], nowMs, ARGV[1])
