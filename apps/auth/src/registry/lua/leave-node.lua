--[[
  Takes a node out of those that revocations wait for. Another process that has its name stays.
  KEYS  1 nodes  2 leases
  ARGV  1 node  2 instance
  Gives nothing.
]]
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and string.match(known, '^(%S+)') == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
end
redis.call('HDEL', KEYS[2], ARGV[2] .. ':' .. ARGV[1])
return false
