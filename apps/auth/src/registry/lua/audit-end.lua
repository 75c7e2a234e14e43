--[[
  Tells where the audit log of a partition ends, and sees to it that whatever is appended from here on
  comes later, also if Redis' clock is set back.
  KEYS  1 clock
  Gives the microsecond as a string: no entry after this moment has it, or one before it.
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
now = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local us = string.format('%.0f', now)
redis.call('SET', KEYS[1], us)
return us
