--[[
  Counts a renewal of a node's lease. Revocations wait again for a node that was fenced; it may deliver
  once it has applied every event up to the returned one.

  sinceUs             when the instance got the name, as its join returned it
  askedUs, askedMark  as `renewPart` takes them

  Returns what `renewPart` returns. Or, having changed nothing: 'node_replaced' when another process has
  joined under the name since, 'node_not_joined' when the join is lost (an older process may have the
  name again).
]]
--- @include "../lua/lease.lua"
local nodesKey, leasesKey, feedKey, clockKey, pendingKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local node, instance, fenceMs, sinceUs, askedUs, askedMark =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local part = instance .. ':' .. node
local known = redis.call('HGET', nodesKey, node)
local holder, heldSince = string.match(known or '', '^(%S+) (%S+)')
if holder and holder ~= instance and tonumber(heldSince) > tonumber(sinceUs) then
  return 'node_replaced'
end
if holder ~= instance or redis.call('HEXISTS', leasesKey, part) == 0 then
  return 'node_not_joined'
end
return renewPart(clockKey, leasesKey, pendingKey, feedKey, part, fenceMs, askedUs, askedMark)
