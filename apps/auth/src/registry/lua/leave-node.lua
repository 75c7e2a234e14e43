--[[
  Takes a node out of those that revocations wait for, unless another process has its name.
  KEYS  1 nodes
  ARGV  1 node  2 instance
  Gives nothing.
]]
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and string.match(known, '^(%S+)') == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return false
