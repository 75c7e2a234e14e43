--[[
  Returns the microsecond up to which the audit log of a partition is complete, as a string: every entry
  appended later has a greater one.
]]
--- @include "../lua/partition-clock.lua"
local clockKey = KEYS[1]

return closeMoment(clockKey)
