--[[
  Leases: the parts (processes of nodes and of auth) that revocations of a partition wait for.

  `leases` has a field for each part, named `<instance>:<node>`; a part needs no entry in `nodes`.
  Its value is `renewedUs fenceMs fencedUs`:
    renewedUs  the partition's microsecond of the join, or of the last renewal that counted. No two are
               equal (`nextMoment`), so a fence for one renewal never matches another.
    fenceMs    how long renewedUs must stay the same until the lease has run out
    fencedUs   the microsecond of the fence; '-' while the part may deliver
]]
--- @include "./partition-clock.lua"

-- Returns renewedUs, fenceMs and fencedUs as strings, or nil.
local function parseLease(value)
  return string.match(value or '', '^(%d+) (%d+) (%S+)$')
end

-- Returns the mark of this Redis: a new one after each restart (run_id) and each promotion
-- (master_replid), also when a Redis that was the primary before is promoted again without a restart.
local function readMark()
  local info = redis.call('INFO', 'server', 'replication')
  return redis.sha1hex(
    string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)'))
end

-- Returns the mark. When `roster` has another mark, writes may be lost, and with them the joins of parts
-- that still deliver. A part named `(unknown)` then stands for all of these: revocations wait for it
-- until any lease that was lost has run out.
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

-- Makes revocations wait for a part. A part that has joined already keeps its lease.
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

-- Counts a renewal of a part that has joined, and ends its fence. Does not count it while a revocation
-- waits for the part that was committed before the part asked, which is up to `askedUs`: the end of the
-- feed of the Redis with the mark `askedMark` after the part had asked. With both '' any revocation that
-- waits prevents the renewal.
-- Returns {1 when the renewal counts, else 0; id of the feed's last event; the mark of this Redis}.
local function renewPart(clock, leases, pending, feed, part, fenceMs, askedUs, askedMark)
  local mark, last = readMark(), feedEnd(feed)
  local oldest = oldestPending(pending, part)
  if oldest and (askedMark ~= mark or oldest <= tonumber(askedUs)) then
    return { 0, last, mark }
  end
  redis.call('HSET', leases, part, string.format('%.0f %s -', nextMoment(clock), fenceMs))
  return { 1, last, mark }
end

-- Fences a part. Every later commit has a later microsecond than the fence. Returns the microsecond of
-- the fence as a string, or false when the part has not joined.
local function fencePart(clock, leases, part)
  local renewedUs, fenceMs = parseLease(redis.call('HGET', leases, part))
  if not renewedUs then
    return false
  end
  local us = closeMoment(clock)
  redis.call('HSET', leases, part, renewedUs .. ' ' .. fenceMs .. ' ' .. us)
  return us
end
