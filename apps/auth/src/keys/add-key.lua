--[[
  Stores a new signing key: as the current one if there is none, else as the next one if there is
  none, or in place of the one that is named. Otherwise it is not needed, and is not stored.
  KEYS  1 signing keys  2 their states
  ARGV  1 kid  2 key as JSON  3 kid of the next key that it replaces, or ''  4 channel for news
  Gives nothing.
]]
local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local following = redis.call('HGET', KEYS[2], 'next')
if redis.call('HEXISTS', KEYS[1], 'current') == 0 then
  redis.call('HSET', KEYS[1], 'current', ARGV[1])
  redis.call('HSET', KEYS[2], 'activated:' .. ARGV[1], now)
elseif not following or following == ARGV[3] then
  -- One that never signed may go at once.
  if following then
    redis.call('HDEL', KEYS[1], following)
    redis.call('HDEL', KEYS[2], 'created:' .. following)
  end
  redis.call('HSET', KEYS[2], 'next', ARGV[1])
else
  return false
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], 'created:' .. ARGV[1], now)
redis.call('PUBLISH', ARGV[4], '')
return false
