--[[
  Reads the signing keys, after doing what is due by Redis' clock: the next key becomes the current one,
  and previous keys that no token needs are removed. When several instances call this, the first one does
  the work.

  signsForMs  how long a key signs before the next key takes over; 0 for at once, -1 for never
  publishMs   how long a key must be published before it signs
  keepMs      how long a previous key is kept

  Returns {now in ms, '1' when the next key took over else '0', {keys: field, value, …}, {states: field,
  value, …}}.
]]
--- @include "../registry/lua/redis-time.lua"
local keysKey, statesKey = KEYS[1], KEYS[2]
local signsForMs, publishMs, keepMs, channel =
  tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local now = redisTimeMs()
local nowText = string.format('%.0f', now)

local function state(field)
  return redis.call('HGET', statesKey, field)
end
local function timeOf(field)
  return tonumber(state(field) or nowText)
end

local current = redis.call('HGET', keysKey, 'current')
local following = state('next')
local changed = false
local promoted = '0'

-- Keys without states count as published, and activated or retired, now.
for _, kid in ipairs(redis.call('HKEYS', keysKey)) do
  if kid ~= 'current' and not state('created:' .. kid) then
    redis.call('HSET', statesKey, 'created:' .. kid, nowText, 'activated:' .. kid, nowText)
    if kid ~= current then
      redis.call('HSET', statesKey, 'retired:' .. kid, nowText)
    end
  end
end

if current and following and signsForMs >= 0
  and now - timeOf('activated:' .. current) >= signsForMs
  and now - timeOf('created:' .. following) >= publishMs then
  redis.call('HSET', statesKey, 'retired:' .. current, nowText, 'activated:' .. following, nowText)
  redis.call('HDEL', statesKey, 'next')
  redis.call('HSET', keysKey, 'current', following)
  changed = true
  promoted = '1'
end

local states = redis.call('HGETALL', statesKey)
for i = 1, #states, 2 do
  local name, kid = string.match(states[i], '^(%l+):(.+)$')
  if (name == 'retired' or name == 'revoked')
    and now - tonumber(states[i + 1]) >= keepMs then
    redis.call('HDEL', keysKey, kid)
    redis.call('HDEL', statesKey,
      'created:' .. kid, 'activated:' .. kid, 'retired:' .. kid, 'revoked:' .. kid)
    changed = true
  end
end
if changed then
  redis.call('PUBLISH', channel, '')
end
return { nowText, promoted, redis.call('HGETALL', keysKey), redis.call('HGETALL', statesKey) }
