--[[
  Counts a renewal of a node's lease. A node that was fenced is waited for again from here on; it may
  deliver once it has applied everything up to the end that this gives.
  KEYS  1 nodes  2 leases  3 feed
  ARGV  1 node  2 instance  3 fenceMs
  Gives {id of the feed's last event, 1 if it was fenced or 0}; or 'node_replaced', 'node_not_joined':
  then nothing has changed.
]]
local part = ARGV[2] .. ':' .. ARGV[1]
local known = redis.call('HGET', KEYS[1], ARGV[1])
local lease = redis.call('HGET', KEYS[2], part)
if known and string.match(known, '^(%S+)') ~= ARGV[2] then
  return 'node_replaced'
end
if not known or not lease then
  return 'node_not_joined'
end
local renewals, fenced = string.match(lease, '^(%d+) %d+ (%S+)$')
redis.call('HSET', KEYS[2], part, string.format('%.0f %s -', tonumber(renewals) + 1, ARGV[3]))
local newest = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
return { newest[1] and newest[1][1] or '0-0', fenced == '-' and 0 or 1 }
