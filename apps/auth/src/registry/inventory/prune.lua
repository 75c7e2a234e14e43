--[[
  Removes up to `max` expired tokens from an identity's index.

  Returns how many it removed.
]]
--- @include "../lua/redis-time.lua"
--- @include "../lua/token-index.lua"
local indexKey, expiringKey = KEYS[1], KEYS[2]
local max = ARGV[1]

return prune(indexKey, expiringKey, string.format('%.0f', redisTimeMs()), max)
