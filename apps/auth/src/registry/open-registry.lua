--[[
  Stores the number of partitions when the registry is new.

  Returns {the stored number of partitions as a string; 1 when the registry is new, else 0}.
]]
local metaKey = KEYS[1]
local partitions = ARGV[1]

local created = redis.call('HSETNX', metaKey, 'partitions', partitions)
return { redis.call('HGET', metaKey, 'partitions'), created }
