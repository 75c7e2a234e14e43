--[[
  Fences a part whose lease has run out: revocations committed up to now no longer wait for it. The part
  delivers nothing, and learns of these revocations before it delivers again.

  mark       the mark of the Redis that was watched
  watchedUs  the renewal that was the last one for fenceMs; '' when an unacknowledged revocation is the
             reason
  overdueUs  the microsecond up to which a revocation has waited for the part for fenceMs; '' with
             watchedUs

  Returns the microsecond of the fence as a string; or nil when the part has renewed or acknowledged
  since, is fenced already, or another Redis answers.
]]
--- @include "../lua/lease.lua"
local clockKey, leasesKey, pendingKey = KEYS[1], KEYS[2], KEYS[3]
local part, mark, watchedUs, overdueUs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local renewedUs, _, fenced = parseLease(redis.call('HGET', leasesKey, part))
if fenced ~= '-' or readMark() ~= mark then
  return false
end
if watchedUs == '' then
  local oldest = oldestPending(pendingKey, part)
  if not oldest or oldest > tonumber(overdueUs) then
    return false
  end
elseif renewedUs ~= watchedUs then
  return false
end
return fencePart(clockKey, leasesKey, part)
