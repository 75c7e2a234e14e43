--[[
  Reads an identity for the holder of its registration access token.

  Returns {fields of the identity, values of its codes, now in ms}, or 'not_registered', or
  'identity_suspended'.
]]
--- @include "../lua/identity-reply.lua"
--- @include "../lua/redis-time.lua"
--- @include "./registration-refusal.lua"
local identityKey, codesKey = KEYS[1], KEYS[2]
local registrationTokenHash = ARGV[1]

local refusal = registrationRefusal(identityKey, registrationTokenHash)
if refusal then
  return refusal
end
return identityReply(identityKey, codesKey, redisTimeMs())
