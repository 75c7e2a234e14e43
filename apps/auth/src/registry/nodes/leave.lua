--[[
  Takes a node out of those that revocations wait for. Another process that has its name stays. It is
  fenced rather than forgotten, so that its receipts are completed also if nobody gets to settle them.
  With partition-clock.lua and lease.lua.
  KEYS  1 clock  2 nodes  3 leases
  ARGV  1 node  2 instance
  Gives the microsecond of the fence as a string, or nil when it is not known.
]]
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known and string.match(known, '^(%S+)') == ARGV[2] then
  redis.call('HDEL', KEYS[2], ARGV[1])
end
return fencePart(KEYS[1], KEYS[3], ARGV[2] .. ':' .. ARGV[1])
