--[[
  Stores a new signing key: as the current key when that is missing; else as the next key when that is
  missing or is `replacedKid`. Otherwise stores nothing.

  key          JSON
  replacedKid  kid of the next key to replace, or ''

  Returns nothing.
]]
--- @include "../registry/lua/redis-time.lua"
local keysKey, statesKey = KEYS[1], KEYS[2]
local kid, key, replacedKid, channel = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local now = string.format('%.0f', redisTimeMs())
local following = redis.call('HGET', statesKey, 'next')
if redis.call('HEXISTS', keysKey, 'current') == 0 then
  redis.call('HSET', keysKey, 'current', kid)
  redis.call('HSET', statesKey, 'activated:' .. kid, now)
elseif not following or following == replacedKid then
  -- The replaced key has never signed, so no token needs it.
  if following then
    redis.call('HDEL', keysKey, following)
    redis.call('HDEL', statesKey, 'created:' .. following)
  end
  redis.call('HSET', statesKey, 'next', kid)
else
  return false
end
redis.call('HSET', keysKey, kid, key)
redis.call('HSET', statesKey, 'created:' .. kid, now)
redis.call('PUBLISH', channel, '')
return false
