--[[
  Reads an identity and its codes at one moment.

  Returns {fields of the identity, values of its codes, now in ms}, or 'identity_not_found'.
]]
--- @include "../lua/identity-reply.lua"
--- @include "../lua/redis-time.lua"
local identityKey, codesKey = KEYS[1], KEYS[2]

if redis.call('EXISTS', identityKey) == 0 then
  return 'identity_not_found'
end
return identityReply(identityKey, codesKey, redisTimeMs())
