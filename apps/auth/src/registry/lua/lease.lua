--[[
  Leases: the parts that revocations of a partition wait for. With partition-clock.lua.

  `leases` has a field for each part, named `<instance>:<node>`; a part needs no entry in `nodes`.
  Its value is `renewedUs fenceMs fencedUs`:
    renewedUs  the partition's moment of the join, or of the last renewal that counted. Each is a moment
               of its own (`nextMoment`), so a fence for one of them never matches another.
    fenceMs    how long renewedUs has to stand still until the lease is out
    fencedUs   the moment of the fence; '-' while the part may deliver
]]

-- Returns renewedUs, fenceMs and fencedUs as strings, or nil.
local function parseLease(value)
  return string.match(value or '', '^(%d+) (%d+) (%S+)$')
end

-- Names this Redis in its present turn as the primary. A restart changes run_id. A promotion changes
-- master_replid, also of a Redis that was the primary before and has not been restarted since.
local function readMark()
  local info = redis.call('INFO', 'server', 'replication')
  return redis.sha1hex(
    string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)'))
end

-- Returns the mark. When it is not the one in `roster`, parts that only lost writes have named may
-- live: one called (unknown) is waited for in their place until a lease of theirs would be out.
local function openRoster(roster, clock, leases, fenceMs)
  local mark = readMark()
  if redis.call('GET', roster) ~= mark then
    redis.call('SET', roster, mark)
    redis.call('HSET', leases, mark .. ':(unknown)',
      string.format('%.0f %s -', nextMoment(clock), fenceMs))
  end
  return mark
end

-- Returns the id of the feed's last event.
local function feedEnd(feed)
  local newest = redis.call('XREVRANGE', feed, '+', '-', 'COUNT', 1)
  return newest[1] and newest[1][1] or '0-0'
end

-- Makes a part one that revocations wait for. One that is there already stays as it is.
local function joinPart(clock, leases, part, fenceMs)
  if redis.call('HEXISTS', leases, part) == 0 then
    redis.call('HSET', leases, part, string.format('%.0f %s -', nextMoment(clock), fenceMs))
  end
end

-- Returns the microsecond of the oldest revocation that waits for a part, or nil.
local function oldestPending(pending, part)
  -- `}` sorts right after `|`: the end of the part's own members.
  local first = redis.call(
    'ZRANGEBYLEX', pending, '[' .. part .. '|', '(' .. part .. '}', 'LIMIT', 0, 1)[1]
  return first and tonumber(string.sub(first, #part + 2, #part + 17))
end

-- Counts a renewal of a part that has joined, and ends its fence, unless a revocation waits for the
-- part that was committed before the renewal was asked for: up to `askedUs`, where the Redis called
-- `askedMark` had its feed's end then. Without these two (''): unless any revocation waits for it.
-- Returns {1 when it is counted, else 0; id of the feed's last event; this Redis' mark}.
local function renewPart(clock, leases, pending, feed, part, fenceMs, askedUs, askedMark)
  local mark, last = readMark(), feedEnd(feed)
  local oldest = oldestPending(pending, part)
  if oldest and (askedMark ~= mark or oldest <= tonumber(askedUs)) then
    return { 0, last, mark }
  end
  redis.call('HSET', leases, part, string.format('%.0f %s -', nextMoment(clock), fenceMs))
  return { 1, last, mark }
end

-- Fences a part: what is committed from here on is later than the fence. Returns its microsecond as a
-- string, or false when there is no such part.
local function fencePart(clock, leases, part)
  local renewedUs, fenceMs = parseLease(redis.call('HGET', leases, part))
  if not renewedUs then
    return false
  end
  local us = closeMoment(clock)
  redis.call('HSET', leases, part, renewedUs .. ' ' .. fenceMs .. ' ' .. us)
  return us
end
