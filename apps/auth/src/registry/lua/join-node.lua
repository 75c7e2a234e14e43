--[[
  Makes a node one that revocations of this partition wait for, and tells where its feed ends at
  that moment: every event after that position names the node in its receipt. A process that had the
  name before stays one to wait for until its lease is out. With partition-clock.lua and lease.lua.
  KEYS  1 clock  2 nodes  3 leases  4 feed
  ARGV  1 node  2 instance  3 url or ''  4 fenceMs
  Gives {instance that had this name before or '', id of the feed's last event, Unix milliseconds
  since when the instance has the name: later than any before it}.
]]
local known = redis.call('HGET', KEYS[2], ARGV[1])
local before, since = '', '0'
if known then
  before, since = string.match(known, '^(%S+) (%S+)')
end
if before ~= ARGV[2] then
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  since = string.format('%.0f', math.max(now, tonumber(since) + 1))
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ' ' .. since .. ' ' .. ARGV[3])
joinPart(KEYS[1], KEYS[3], ARGV[2] .. ':' .. ARGV[1], ARGV[4])
return { before, feedEnd(KEYS[4]), since }
