--[[
  Counts a renewal of an auth instance's lease in this partition.

  askedUs, askedMark  as `renewPart` takes them

  Returns what `renewPart` returns; or 'not_joined', having changed nothing.
]]
--- @include "../lua/lease.lua"
local clockKey, leasesKey, pendingKey, feedKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local part, fenceMs, askedUs, askedMark = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if redis.call('HEXISTS', leasesKey, part) == 0 then
  return 'not_joined'
end
return renewPart(clockKey, leasesKey, pendingKey, feedKey, part, fenceMs, askedUs, askedMark)
