--[[
  Removes a signing key at once. The next key takes the place of a current one, however young it is.
  That it was removed is kept, so that doing it again finds it done.
  KEYS  1 signing keys  2 their states
  ARGV  1 kid  2 kid of a spare key  3 the spare key as JSON  4 channel for news
  Gives 1, or 0 when there is no such key.
]]
local kid, spare = ARGV[1], ARGV[2]
if redis.call('HEXISTS', KEYS[1], kid) == 0 then
  return redis.call('HEXISTS', KEYS[2], 'revoked:' .. kid)
end
local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local current = redis.call('HGET', KEYS[1], 'current')
local following = redis.call('HGET', KEYS[2], 'next')
redis.call('HDEL', KEYS[1], kid)
redis.call('HDEL', KEYS[2], 'created:' .. kid, 'activated:' .. kid, 'retired:' .. kid)
redis.call('HSET', KEYS[2], 'revoked:' .. kid, now)
if kid == current then
  local heir = following or spare
  redis.call('HSET', KEYS[1], 'current', heir)
  redis.call('HSET', KEYS[2], 'activated:' .. heir, now)
  redis.call('HDEL', KEYS[2], 'next')
end
if kid == following then
  redis.call('HDEL', KEYS[2], 'next')
end
if kid == current or kid == following then
  redis.call('HSET', KEYS[1], spare, ARGV[3])
  redis.call('HSET', KEYS[2], 'created:' .. spare, now)
  if redis.call('HGET', KEYS[1], 'current') ~= spare then
    redis.call('HSET', KEYS[2], 'next', spare)
  end
end
redis.call('PUBLISH', ARGV[4], '')
return 1
