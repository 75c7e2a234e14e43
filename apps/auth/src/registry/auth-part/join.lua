--[[
  Makes revocations of this partition wait for an auth instance. It has no entry in `nodes`.

  Returns nothing.
]]
--- @include "../lua/lease.lua"
local clockKey, leasesKey = KEYS[1], KEYS[2]
local part, fenceMs = ARGV[1], ARGV[2]

joinPart(clockKey, leasesKey, part, fenceMs)
