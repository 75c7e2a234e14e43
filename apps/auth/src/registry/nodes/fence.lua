--[[
  Fences a part whose lease is out, unless that is so no longer: revocations committed up to here have
  not to wait for it. It holds every connection, and hears of them before it may deliver.
  With partition-clock.lua and lease.lua.
  KEYS  1 clock  2 leases  3 pending
  ARGV  1 part  2 mark of the Redis that has been watched
        3 renewedUs that has stood still, or '': a revocation has waited for the part all the time
        4 microsecond of the last revocation that may have; '' with 3
  Gives the microsecond of the fence as a string, or nil when it has renewed or acknowledged, or is
  fenced already, or this is another Redis.
]]
local renewedUs, _, fenced = parseLease(redis.call('HGET', KEYS[2], ARGV[1]))
if fenced ~= '-' or readMark() ~= ARGV[2] then
  return false
end
if ARGV[3] == '' then
  local oldest = oldestPending(KEYS[3], ARGV[1])
  if not oldest or oldest > tonumber(ARGV[4]) then
    return false
  end
elseif renewedUs ~= ARGV[3] then
  return false
end
return fencePart(KEYS[1], KEYS[2], ARGV[1])
