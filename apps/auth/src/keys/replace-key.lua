--[[
  Stores a key in another form, unless someone else did meanwhile.
  KEYS  1 signing keys
  ARGV  1 kid  2 JSON that is stored  3 JSON to store instead
  Gives nothing.
]]
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return false
