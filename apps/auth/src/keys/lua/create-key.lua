--[[
  Stores the first signing key; one that is there already stays the current one.
  KEYS  1 signing keys
  ARGV  1 kid  2 key as JSON
  Gives all keys: field, value, …
]]
if redis.call('HSETNX', KEYS[1], 'current', ARGV[1]) == 1 then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
return redis.call('HGETALL', KEYS[1])
