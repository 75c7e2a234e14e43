--[[
  Notes that a new partition knows all of its nodes: it has none. With lease.lua.
  KEYS  1 roster
  Gives nothing.
]]
redis.call('SET', KEYS[1], readMark(), 'NX')
return false
