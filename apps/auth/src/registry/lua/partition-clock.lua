--[[
  For scripts that order what they do by the clock of their partition: microseconds that never go
  backwards, also if Redis' clock is set back.
]]

-- Redis' clock now, and the last moment that the partition has come to.
local function readClock(key)
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2]), tonumber(redis.call('GET', key) or '0')
end

-- A moment for what happens now, later than every one before it.
local function nextMoment(key)
  local time, last = readClock(key)
  local now = math.max(time, last + 1)
  redis.call('SET', key, string.format('%.0f', now))
  return now
end

-- This moment as a string: nothing comes before it from here on.
local function closeMoment(key)
  local time, last = readClock(key)
  local now = string.format('%.0f', math.max(time, last))
  redis.call('SET', key, now)
  return now
end

