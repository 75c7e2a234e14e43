--[[
  Reads every lease of a partition, and since when revocations wait for each. When another Redis answers
  than the one that the leases were written to, nodes that only lost writes have named may live: see
  `openRoster`. With partition-clock.lua and lease.lua.
  KEYS  1 leases  2 roster  3 nodes  4 clock  5 pending  6 feed
  ARGV  1 fenceMs
  Gives {mark of this Redis; id of the feed's last event; leases as a flat list of part, value, and
  microsecond of the oldest revocation that waits for it or ''; nodes as a flat list}.
]]
local mark = openRoster(KEYS[2], KEYS[4], KEYS[1], ARGV[1])
local leases, list = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #leases, 2 do
  local oldest = oldestPending(KEYS[5], leases[i])
  list[#list + 1] = leases[i]
  list[#list + 1] = leases[i + 1]
  list[#list + 1] = oldest and string.format('%.0f', oldest) or ''
end
return { mark, feedEnd(KEYS[6]), list, redis.call('HGETALL', KEYS[3]) }
