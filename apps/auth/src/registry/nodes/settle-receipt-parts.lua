--[[
  Settles a process's parts of receipts, and publishes the id of each receipt to the requests that wait
  for it.

  KEYS[4]…  receipts
  prefix    'fenced ' when the process is fenced, '' when it acknowledges
  ARGV[5]…  for each receipt: its id; 1 to settle the part, 0 to store the count only; connections closed,
            or ''; a suffix that tells this count from other counts of the process, or '' when there is
            only one. A count that is stored already stays.

  Returns, for each part that this call has settled, the microseconds since the commit, as strings.
]]
--- @include "../lua/partition-clock.lua"
local clockKey, pendingKey, pendingTimesKey, firstReceipt = KEYS[1], KEYS[2], KEYS[3], 4
local node, instance, acknowledgements, prefix, firstArgument = ARGV[1], ARGV[2], ARGV[3], ARGV[4], 5

local part = instance .. ':' .. node
local settledAfter = {}
local redisUs, last = readClock(clockKey)
local now = math.max(redisUs, last)

for i = firstReceipt, #KEYS do
  local receiptKey = KEYS[i]
  local at = firstArgument + (i - firstReceipt) * 4
  local id, settle, closed, suffix = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local receipt = redis.call('HMGET', receiptKey, 'us', 'node:' .. part)
  if receipt[2] then
    if closed ~= '' then
      redis.call('HSETNX', receiptKey, 'closed:' .. part .. suffix, closed)
    end
    if settle == '1' and receipt[2] == 'pending' then
      local us = tonumber(receipt[1])
      local after = string.format('%.0f', math.max(0, now - us))
      settledAfter[#settledAfter + 1] = after
      redis.call('HSET', receiptKey, 'node:' .. part, prefix .. after)
      local member = string.format('%s|%016.0f|%s', part, us, id)
      redis.call('ZREM', pendingKey, member)
      redis.call('ZREM', pendingTimesKey, member)
      redis.call('PUBLISH', acknowledgements, id)
    end
  end
end
return settledAfter
