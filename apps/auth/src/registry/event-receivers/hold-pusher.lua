--[[
  Makes an auth process the one that pushes to a receiver for some time, or for some time more.
  KEYS  1 event-pusher
  ARGV  1 process  2 milliseconds; 0 gives it up
  Gives 1 when it is the one, else 0.
]]
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
