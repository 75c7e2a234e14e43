--[[
  Removes one registration code by its id.

  mustAdminister  '1' when the identity must remain an administrator, else ''

  Returns 'removed', 'identity_not_found', 'code_not_found' or 'last_administrator'.
]]
--- @include "../lua/administrator.lua"
local identityKey, codesKey, removedCodesKey = KEYS[1], KEYS[2], KEYS[3]
local codeId, mustAdminister = ARGV[1], ARGV[2]

if redis.call('EXISTS', identityKey) == 0 then
  return 'identity_not_found'
end
local codes = redis.call('HGETALL', codesKey)
local found = nil
local after = {}
for i = 1, #codes, 2 do
  if string.match(codes[i + 1], '^(%S+)') == codeId then
    found = codes[i]
  else
    table.insert(after, codes[i + 1])
  end
end
if not found then
  return 'code_not_found'
end
if mustAdminister == '1' and administersNow(identityKey, codesKey)
  and not administersWith(identityKey, after) then
  return 'last_administrator'
end
rememberRemoved(identityKey, removedCodesKey, { found })
redis.call('HDEL', codesKey, found)
return 'removed'
