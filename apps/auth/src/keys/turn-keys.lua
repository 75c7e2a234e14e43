--[[
  Looks at the signing keys, and does what is due by this clock: the next key takes over, previous
  ones that nobody can need any more go. Of all instances that look the first one does it.
  KEYS  1 signing keys  2 their states
  ARGV  1 ms that a key signs before the next takes over, 0 at once, -1 never
        2 ms that a key is published before it may sign  3 ms that a previous key is kept
        4 channel for news
  Gives {now in ms, '1' when the next key took over or '0', {keys: field, value, …}, {states: the same}}.
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local nowText = string.format('%.0f', now)

local function state(field)
  return redis.call('HGET', KEYS[2], field)
end
local function timeOf(field)
  return tonumber(state(field) or nowText)
end

local current = redis.call('HGET', KEYS[1], 'current')
local following = state('next')
local changed = false
local promoted = '0'

-- Keys from before there were states: they have been published for as long as anyone can know.
for _, kid in ipairs(redis.call('HKEYS', KEYS[1])) do
  if kid ~= 'current' and not state('created:' .. kid) then
    redis.call('HSET', KEYS[2], 'created:' .. kid, nowText, 'activated:' .. kid, nowText)
    if kid ~= current then
      redis.call('HSET', KEYS[2], 'retired:' .. kid, nowText)
    end
  end
end

local signsFor = tonumber(ARGV[1])
if current and following and signsFor >= 0
  and now - timeOf('activated:' .. current) >= signsFor
  and now - timeOf('created:' .. following) >= tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[2], 'retired:' .. current, nowText, 'activated:' .. following, nowText)
  redis.call('HDEL', KEYS[2], 'next')
  redis.call('HSET', KEYS[1], 'current', following)
  changed = true
  promoted = '1'
end

local states = redis.call('HGETALL', KEYS[2])
for i = 1, #states, 2 do
  local name, kid = string.match(states[i], '^(%l+):(.+)$')
  if (name == 'retired' or name == 'revoked')
    and now - tonumber(states[i + 1]) >= tonumber(ARGV[3]) then
    redis.call('HDEL', KEYS[1], kid)
    redis.call('HDEL', KEYS[2],
      'created:' .. kid, 'activated:' .. kid, 'retired:' .. kid, 'revoked:' .. kid)
    changed = true
  end
end
if changed then
  redis.call('PUBLISH', ARGV[4], '')
end
return { nowText, promoted, redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]) }
