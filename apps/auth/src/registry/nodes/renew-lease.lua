--[[
  Counts a renewal of a node's lease. A node that was fenced is waited for again from here on; it may
  deliver once it has applied everything up to the end that this gives.
  With partition-clock.lua and lease.lua.
  KEYS  1 nodes  2 leases  3 feed  4 clock  5 pending
  ARGV  1 node  2 instance  3 fenceMs  4 microsecond since when it has the name, as its join gave it
        5 askedUs  6 askedMark, both as `renewPart` takes them
  Gives what `renewPart` gives. Or, and then nothing has changed: 'node_replaced', another process has
  joined under the name since; 'node_not_joined', the join is lost, and the name perhaps with a
  process of before it.
]]
local part = ARGV[2] .. ':' .. ARGV[1]
local known = redis.call('HGET', KEYS[1], ARGV[1])
local holder, since = string.match(known or '', '^(%S+) (%S+)')
if holder and holder ~= ARGV[2] and tonumber(since) > tonumber(ARGV[4]) then
  return 'node_replaced'
end
if holder ~= ARGV[2] or redis.call('HEXISTS', KEYS[2], part) == 0 then
  return 'node_not_joined'
end
return renewPart(KEYS[4], KEYS[2], KEYS[5], KEYS[3], part, ARGV[3], ARGV[5], ARGV[6])
