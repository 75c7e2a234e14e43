--[[
  Takes a node out of those that revocations wait for. Another process that has its name stays. It is
  fenced rather than forgotten, so that its receipts are completed also if nobody gets to settle them.
  KEYS  1 clock  2 nodes  3 leases
  ARGV  1 node  2 instance
  Gives the microsecond of the fence as a string, or nil when it is not known.
]]
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known and string.match(known, '^(%S+)') == ARGV[2] then
  redis.call('HDEL', KEYS[2], ARGV[1])
end
local part = ARGV[2] .. ':' .. ARGV[1]
local renewals, fenceMs = string.match(redis.call('HGET', KEYS[3], part) or '', '^(%d+) (%d+)')
if not renewals then
  return false
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
now = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local us = string.format('%.0f', now)
-- What is committed from here on is later than the fence, also if Redis' clock is set back.
redis.call('SET', KEYS[1], us)
redis.call('HSET', KEYS[3], part, renewals .. ' ' .. fenceMs .. ' ' .. us)
return us
