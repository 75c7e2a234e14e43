--[[
  Tells where the audit log of a partition ends, and sees to it that whatever is appended from here on
  comes later. With partition-clock.lua.
  KEYS  1 clock
  Gives the microsecond as a string: no entry after this moment has it, or one before it.
]]
return closeMoment(KEYS[1])
