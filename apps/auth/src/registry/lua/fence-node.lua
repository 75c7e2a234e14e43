--[[
  Fences a node whose lease is out, unless it has renewed it meanwhile: revocations committed up to
  here have not to wait for it. It holds every connection, and hears of them before it may deliver.
  With partition-clock.lua.
  KEYS  1 clock  2 leases
  ARGV  1 part  2 the renewals that have been seen all the time
  Gives the microsecond of the fence as a string, or nil when it has renewed, or is fenced already.
]]
local lease = redis.call('HGET', KEYS[2], ARGV[1])
local renewals, fenceMs, fenced = string.match(lease or '', '^(%d+) (%d+) (%S+)$')
if renewals ~= ARGV[2] or fenced ~= '-' then
  return false
end
-- What is committed from here on is later than the fence.
local us = closeMoment(KEYS[1])
redis.call('HSET', KEYS[2], ARGV[1], renewals .. ' ' .. fenceMs .. ' ' .. us)
return us
