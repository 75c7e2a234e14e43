--[[
  Makes a process of a node one that revocations of this partition wait for, and tells where its feed
  ends at that moment: every event after that position names the node in its receipt. A process that had
  the name before stays one to wait for until its lease is out.
  With partition-clock.lua and lease.lua.
  KEYS  1 clock  2 node names  3 leases  4 feed
  ARGV  1 node  2 instance  3 url or ''  4 fenceMs  5 identity
        6 since when the instance has the name, as its first join gave it, or ''
  Gives {instance that had this name before or '', id of the feed's last event, microsecond since
  when the instance has the name: later than any before it}. Or, and then nothing has changed:
  'node_name_taken', the name is another identity's; 'node_replaced', a later process has it.
]]
local known = redis.call('HGET', KEYS[2], ARGV[1])
local holder, heldSince, owner = string.match(known or '', '^(%S+) (%d+) (%S+)')
local part = ARGV[2] .. ':' .. ARGV[1]
local since = ARGV[6]
if holder and owner ~= ARGV[5] then
  return 'node_name_taken'
elseif holder == ARGV[2] then
  since = heldSince
elseif holder and since ~= '' and tonumber(since) < tonumber(heldSince) then
  return 'node_replaced'
elseif holder and since == '' and redis.call('HEXISTS', KEYS[3], part) == 1 then
  -- It joined before the holder did, and has not heard of it.
  return 'node_replaced'
elseif since == '' then
  since = string.format('%.0f', math.max(nextMoment(KEYS[1]), tonumber(heldSince or '0') + 1))
end
redis.call('HSET', KEYS[2], ARGV[1], table.concat({ ARGV[2], since, ARGV[5], ARGV[3] }, ' '))
joinPart(KEYS[1], KEYS[3], part, ARGV[4])
return { holder or '', feedEnd(KEYS[4]), since }
