--[[
  Counts a renewal of a node's lease. A node that was fenced is waited for again from here on; it may
  deliver once it has applied everything up to the end that this gives.
  KEYS  1 nodes  2 leases  3 feed
  ARGV  1 node  2 instance  3 fenceMs  4 since when it has the name, as its join gave it
  Gives the id of the feed's last event. Or, and then nothing has changed: 'node_replaced', another
  process has joined under the name since; 'node_not_joined', the join is lost, and the name perhaps
  with a process of before it.
]]
local part = ARGV[2] .. ':' .. ARGV[1]
local known = redis.call('HGET', KEYS[1], ARGV[1])
local lease = redis.call('HGET', KEYS[2], part)
local holder, since = string.match(known or '', '^(%S+) (%S+)')
if holder and holder ~= ARGV[2] and tonumber(since) > tonumber(ARGV[4]) then
  return 'node_replaced'
end
if holder ~= ARGV[2] or not lease then
  return 'node_not_joined'
end
local renewals = string.match(lease, '^(%d+)')
redis.call('HSET', KEYS[2], part, string.format('%.0f %s -', tonumber(renewals) + 1, ARGV[3]))
local newest = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
return newest[1] and newest[1][1] or '0-0'
