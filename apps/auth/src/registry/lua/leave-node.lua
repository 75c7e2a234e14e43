--[[
  Takes a node out of those that revocations wait for. Another process that has its name stays. It is
  fenced rather than forgotten, so that its receipts are completed also if nobody gets to settle them.
  With partition-clock.lua.
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
-- What is committed from here on is later than the fence.
local us = closeMoment(KEYS[1])
redis.call('HSET', KEYS[3], part, renewals .. ' ' .. fenceMs .. ' ' .. us)
return us
