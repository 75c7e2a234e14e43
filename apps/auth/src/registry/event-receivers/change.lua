--[[
  Stores a receiver of security events anew, unless someone else has done so meanwhile.
  KEYS  1 event-receivers
  ARGV  1 id  2 JSON that is stored  3 JSON to store instead
  Gives 1, or 0 when something else is stored.
]]
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
