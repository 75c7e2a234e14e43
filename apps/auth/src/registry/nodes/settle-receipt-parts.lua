--[[
  Settles a node's parts of receipts, and says so to whoever waits for them.
  With partition-clock.lua.
  KEYS  1 clock  2 pending  3 pending-times  4… receipts
  ARGV  1 node  2 instance  3 channel  4 'fenced ' when its lease is out, '' when it acknowledges,
        then for each receipt:
        its id, 1 to settle the part or 0 to count alone, connections closed or '', and what tells
        this count from others of the node, '' when there is one alone. One that is there stays.
  Gives for each part that this has settled the microseconds since its commit, as strings.
]]
local part = ARGV[2] .. ':' .. ARGV[1]
local answer = {}
local redisUs, last = readClock(KEYS[1])
local now = math.max(redisUs, last)

for i = 4, #KEYS do
  local at = 5 + (i - 4) * 4
  local id, settle, closed, count = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local receipt = redis.call('HMGET', KEYS[i], 'us', 'node:' .. part)
  if receipt[2] then
    if closed ~= '' then
      redis.call('HSETNX', KEYS[i], 'closed:' .. part .. count, closed)
    end
    if settle == '1' and receipt[2] == 'pending' then
      local us = tonumber(receipt[1])
      local after = string.format('%.0f', math.max(0, now - us))
      answer[#answer + 1] = after
      redis.call('HSET', KEYS[i], 'node:' .. part, ARGV[4] .. after)
      local member = string.format('%s|%016.0f|%s', part, us, id)
      redis.call('ZREM', KEYS[2], member)
      redis.call('ZREM', KEYS[3], member)
      redis.call('PUBLISH', ARGV[3], id)
    end
  end
end
return answer
