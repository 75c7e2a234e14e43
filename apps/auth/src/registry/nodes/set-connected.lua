--[[
  Notes which feed connection of a node is open, or that this one has closed.
  KEYS  1 connected
  ARGV  1 node  2 instance  3 connection  4 '1' open | '0' closed
  Gives nothing.
]]
local value = ARGV[2] .. ' ' .. ARGV[3]
if ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], ARGV[1], value)
elseif redis.call('HGET', KEYS[1], ARGV[1]) == value then
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return false
