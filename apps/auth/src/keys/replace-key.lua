--[[
  Stores a key in another form, unless the stored value has changed.

  Returns nothing.
]]
local keysKey = KEYS[1]
local kid, expected, replacement = ARGV[1], ARGV[2], ARGV[3]

if redis.call('HGET', keysKey, kid) == expected then
  redis.call('HSET', keysKey, kid, replacement)
end
return false
