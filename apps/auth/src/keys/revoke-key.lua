--[[
  Removes a signing key at once. The next key replaces a current key, however recently it was published.
  The removal is remembered, so that removing the key again succeeds.

  spareKid, spare  a new key (JSON) to store when the current or the next key was removed

  Returns 1, or 0 when there is no such key.
]]
--- @include "../registry/lua/redis-time.lua"
local keysKey, statesKey = KEYS[1], KEYS[2]
local kid, spareKid, spare, channel = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if redis.call('HEXISTS', keysKey, kid) == 0 then
  return redis.call('HEXISTS', statesKey, 'revoked:' .. kid)
end
local now = string.format('%.0f', redisTimeMs())
local current = redis.call('HGET', keysKey, 'current')
local following = redis.call('HGET', statesKey, 'next')
redis.call('HDEL', keysKey, kid)
redis.call('HDEL', statesKey, 'created:' .. kid, 'activated:' .. kid, 'retired:' .. kid)
redis.call('HSET', statesKey, 'revoked:' .. kid, now)
if kid == current then
  local heir = following or spareKid
  redis.call('HSET', keysKey, 'current', heir)
  redis.call('HSET', statesKey, 'activated:' .. heir, now)
  redis.call('HDEL', statesKey, 'next')
end
if kid == following then
  redis.call('HDEL', statesKey, 'next')
end
if kid == current or kid == following then
  redis.call('HSET', keysKey, spareKid, spare)
  redis.call('HSET', statesKey, 'created:' .. spareKid, now)
  if redis.call('HGET', keysKey, 'current') ~= spareKid then
    redis.call('HSET', statesKey, 'next', spareKid)
  end
end
redis.call('PUBLISH', channel, '')
return 1
