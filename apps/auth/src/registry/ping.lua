--[[
  Does nothing but write: a partition that takes this takes renewals of leases. With partition-clock.lua.
  KEYS  1 clock
  Gives nothing.
]]
closeMoment(KEYS[1])
return false
