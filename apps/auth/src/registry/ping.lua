--[[
  Writes the clock, and nothing else. A partition that accepts this write accepts renewals of leases.

  Returns nothing.
]]
--- @include "./lua/partition-clock.lua"
local clockKey = KEYS[1]

closeMoment(clockKey)
return false
