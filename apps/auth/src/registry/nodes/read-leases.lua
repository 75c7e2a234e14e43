--[[
  Reads every lease of a partition, and the oldest revocation that waits for each. Opens the roster
  first (see `openRoster`).

  Returns {mark of this Redis; id of the feed's last event; a flat list of part, lease, and microsecond
  of the oldest revocation that waits for the part or ''; nodes as a flat list of name and value}.
]]
--- @include "../lua/lease.lua"
local leasesKey, rosterKey, nodesKey, clockKey, pendingKey, feedKey =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local fenceMs = ARGV[1]

local mark = openRoster(rosterKey, clockKey, leasesKey, fenceMs)
local leases, list = redis.call('HGETALL', leasesKey), {}
for i = 1, #leases, 2 do
  local oldest = oldestPending(pendingKey, leases[i])
  list[#list + 1] = leases[i]
  list[#list + 1] = leases[i + 1]
  list[#list + 1] = oldest and string.format('%.0f', oldest) or ''
end
return { mark, feedEnd(feedKey), list, redis.call('HGETALL', nodesKey) }
