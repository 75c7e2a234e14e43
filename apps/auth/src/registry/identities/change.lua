--[[
  Sets fields of an identity.

  mustAdminister  '1' when the identity must remain an administrator, else ''
  ARGV[2]…        field, value, …

  Returns {fields of the identity, values of its codes, now in ms}; or 'identity_not_found' or
  'last_administrator', having changed nothing.
]]
--- @include "../lua/administrator.lua"
--- @include "../lua/identity-reply.lua"
--- @include "../lua/redis-time.lua"
local identityKey, codesKey = KEYS[1], KEYS[2]
local mustAdminister, firstField = ARGV[1], 2

if redis.call('EXISTS', identityKey) == 0 then
  return 'identity_not_found'
end
if mustAdminister == '1' and administersNow(identityKey, codesKey) then
  local after = {}
  for _, field in ipairs({ 'state', 'scopes', 'jwks', 'jwksCeiling' }) do
    after[field] = redis.call('HGET', identityKey, field)
  end
  for i = firstField, #ARGV, 2 do
    after[ARGV[i]] = ARGV[i + 1]
  end
  local codes = redis.call('HVALS', codesKey)
  if not administers(after.state, after.scopes, after.jwks, after.jwksCeiling, codes) then
    return 'last_administrator'
  end
end
redis.call('HSET', identityKey, unpack(ARGV, firstField))
return identityReply(identityKey, codesKey, redisTimeMs())
