--[[
  Fences a node whose lease is out, unless it has renewed it meanwhile: revocations committed up to
  here have not to wait for it. It holds every connection, and hears of them before it may deliver.
  KEYS  1 clock  2 leases
  ARGV  1 part  2 the renewals that have been seen all the time
  Gives the microsecond of the fence as a string, or nil when it has renewed, or is fenced already.
]]
local lease = redis.call('HGET', KEYS[2], ARGV[1])
local renewals, fenceMs, fenced = string.match(lease or '', '^(%d+) (%d+) (%S+)$')
if renewals ~= ARGV[2] or fenced ~= '-' then
  return false
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
now = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local us = string.format('%.0f', now)
-- What is committed from here on is later than the fence, also if Redis' clock is set back.
redis.call('SET', KEYS[1], us)
redis.call('HSET', KEYS[2], ARGV[1], renewals .. ' ' .. fenceMs .. ' ' .. us)
return us
