--[[
  Makes revocations of this partition wait for a process of a node, and returns where the feed ends at
  that moment: every later event names the process in its receipt. Revocations also wait for the process
  that had the node's name before, until its lease has run out.

  url         '' for none
  identity    the identity that the node belongs to
  sinceUs     when the instance got the name, as its first join returned it; '' at the first join

  Returns {instance that had the name before, or ''; id of the feed's last event; microsecond at which
  the instance got the name, later than for any instance before}. Or, having changed nothing:
  'node_name_taken' when the name belongs to another identity, 'node_replaced' when a later process has
  it.
]]
--- @include "../lua/lease.lua"
local clockKey, nodesKey, leasesKey, feedKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local node, instance, url, fenceMs, identity, sinceUs = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local known = redis.call('HGET', nodesKey, node)
local holder, heldSince, owner = string.match(known or '', '^(%S+) (%d+) (%S+)')
local part = instance .. ':' .. node
local since = sinceUs
if holder and owner ~= identity then
  return 'node_name_taken'
elseif holder == instance then
  since = heldSince
elseif holder and since ~= '' and tonumber(since) < tonumber(heldSince) then
  return 'node_replaced'
elseif holder and since == '' and redis.call('HEXISTS', leasesKey, part) == 1 then
  -- The instance joined before the holder, and has lost the reply.
  return 'node_replaced'
elseif since == '' then
  since = string.format('%.0f', math.max(nextMoment(clockKey), tonumber(heldSince or '0') + 1))
end
redis.call('HSET', nodesKey, node, table.concat({ instance, since, identity, url }, ' '))
joinPart(clockKey, leasesKey, part, fenceMs)
return { holder or '', feedEnd(feedKey), since }
