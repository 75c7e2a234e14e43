--[[
  Fixes the number of partitions when the registry is new.
  KEYS  1 meta
  ARGV  1 partitions
  Gives {the number of partitions that the registry has, as a string; 1 when it is new, or 0}.
]]
local created = redis.call('HSETNX', KEYS[1], 'partitions', ARGV[1])
return { redis.call('HGET', KEYS[1], 'partitions'), created }
