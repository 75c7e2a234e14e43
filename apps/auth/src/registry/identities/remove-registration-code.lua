--[[
  Removes one registration code by its id. With administrator.lua.
  KEYS  1 identity  2 codes  3 removed codes
  ARGV  1 code's id  2 '1' when the identity has to stay an administrator, else ''
  Returns 'removed', 'identity_not_found', 'code_not_found' or 'last_administrator'.
]]
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 'identity_not_found'
end
local codes = redis.call('HGETALL', KEYS[2])
local found = nil
local after = {}
for i = 1, #codes, 2 do
  if string.match(codes[i + 1], '^(%S+)') == ARGV[1] then
    found = codes[i]
  else
    table.insert(after, codes[i + 1])
  end
end
if not found then
  return 'code_not_found'
end
if ARGV[2] == '1' and administersNow(KEYS[1], KEYS[2]) then
  local fields = redis.call('HMGET', KEYS[1], 'state', 'scopes', 'jwks', 'jwksCeiling')
  if not administers(fields[1], fields[2], fields[3], fields[4], after) then
    return 'last_administrator'
  end
end
rememberRemoved(KEYS[1], KEYS[3], { found })
redis.call('HDEL', KEYS[2], found)
return 'removed'
