--[[
  Forgets a fenced part, unless it has renewed its lease since.

  Returns nothing.
]]
--- @include "../lua/lease.lua"
local nodesKey, leasesKey = KEYS[1], KEYS[2]
local node, instance, fencedUs = ARGV[1], ARGV[2], ARGV[3]

local part = instance .. ':' .. node
local _, _, fenced = parseLease(redis.call('HGET', leasesKey, part))
if fenced == fencedUs then
  redis.call('HDEL', leasesKey, part)
  local known = redis.call('HGET', nodesKey, node)
  if known and string.match(known, '^(%S+)') == instance then
    redis.call('HDEL', nodesKey, node)
  end
end
return false
