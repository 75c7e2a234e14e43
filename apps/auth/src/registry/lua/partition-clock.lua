--[[
  The clock of a partition, for scripts that order what they write: Unix microseconds that never go
  backwards, also when Redis' clock is set back.
]]

-- Returns the time of Redis' clock, and the last microsecond that the partition has used.
local function readClock(clockKey)
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2]), tonumber(redis.call('GET', clockKey) or '0')
end

-- Uses a new microsecond, later than every one before, and returns it.
local function nextMoment(clockKey)
  local time, last = readClock(clockKey)
  local now = math.max(time, last + 1)
  redis.call('SET', clockKey, string.format('%.0f', now))
  return now
end

-- Returns the current microsecond as a string. Every later moment of the partition is greater.
local function closeMoment(clockKey)
  local time, last = readClock(clockKey)
  local now = string.format('%.0f', math.max(time, last))
  redis.call('SET', clockKey, now)
  return now
end
