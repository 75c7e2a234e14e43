--[[
  Makes an auth instance a part that revocations of this partition wait for. It has no entry in `nodes`.
  With partition-clock.lua and lease.lua.
  KEYS  1 clock  2 leases
  ARGV  1 part  2 fenceMs
  Returns nothing.
]]
joinPart(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
