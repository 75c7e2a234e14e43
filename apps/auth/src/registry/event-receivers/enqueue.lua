--[[
  Puts events into a receiver's queue and moves its cursor in the feed, in one step: of several auth
  instances that have read the same events one does it. When more are queued than may be, the oldest
  go, and a notice says so.
  KEYS  1 event-receivers  2 event-progress  3 event-queue  4 queued-events
  ARGV  1 receiver's id  2 cursor that was read from  3 cursor to go on from
        4 most events that may be queued  5 'lost' when it is not known what followed the cursor, else ''
        6 and 7: jti and JSON of the notice that events were missed
        8 id of the last revocation of everything among them, or ''
        then jti, JSON, … of the events
  With 2 and 3 empty the cursor does not matter and stays.
  Gives {queued, dropped}, or nil when the cursor is another, or there is no such receiver.
]]
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  return false
end
if ARGV[3] ~= '' then
  if redis.call('HGET', KEYS[2], 'cursor') ~= ARGV[2] then
    return false
  end
  redis.call('HSET', KEYS[2], 'cursor', ARGV[3])
end
if ARGV[8] ~= '' then
  redis.call('HSET', KEYS[2], 'lastAll', ARGV[8])
end

local function queue(jti, json)
  if redis.call('HSETNX', KEYS[4], jti, json) == 0 then
    return 0
  end
  redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[2], 'sequence', 1), jti)
  return 1
end

local queued = 0
for i = 9, #ARGV, 2 do
  queued = queued + queue(ARGV[i], ARGV[i + 1])
end
local dropped = 0
local over = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[4])
if over > 0 then
  local oldest = redis.call('ZPOPMIN', KEYS[3], over)
  for i = 1, #oldest, 2 do
    dropped = dropped + redis.call('HDEL', KEYS[4], oldest[i])
  end
  redis.call('HINCRBY', KEYS[2], 'dropped', dropped)
end
if ARGV[5] == 'lost' then
  redis.call('HINCRBY', KEYS[2], 'lost', 1)
end
if ARGV[5] == 'lost' or dropped > 0 then
  -- A new one in place of one that waits: that may be on its way already, and know less.
  local before = redis.call('HGET', KEYS[2], 'notice')
  if before then
    redis.call('ZREM', KEYS[3], before)
    redis.call('HDEL', KEYS[4], before)
  end
  redis.call('HSET', KEYS[2], 'notice', ARGV[6])
  queue(ARGV[6], ARGV[7])
end
return { queued, dropped }
