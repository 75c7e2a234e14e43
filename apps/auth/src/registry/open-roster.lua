--[[
  Records that a new partition knows all of its parts: it has none.

  Returns nothing.
]]
--- @include "./lua/lease.lua"
local rosterKey = KEYS[1]

redis.call('SET', rosterKey, readMark(), 'NX')
return false
