--[[
  Makes an auth process the one that pushes to a receiver for `ms` milliseconds, or extends that time.
  With 0 the process gives it up.

  Returns 1 when the process is the one that pushes, else 0.
]]
local pusherKey = KEYS[1]
local process, ms = ARGV[1], ARGV[2]

local holder = redis.call('GET', pusherKey)
if holder and holder ~= process then
  return 0
end
if ms == '0' then
  redis.call('DEL', pusherKey)
  return 0
end
redis.call('SET', pusherKey, process, 'PX', ms)
return 1
