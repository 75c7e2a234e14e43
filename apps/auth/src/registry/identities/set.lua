--[[
  Sets fields of an identity. With administrator.lua.
  KEYS  1 identity  2 codes
  ARGV  1 '1' when the identity has to stay an administrator, else ''  then field, value, …
  Returns {identity's fields, codes' values, now in ms}, or 'identity_not_found', or
  'last_administrator'; then nothing has changed.
]]
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 'identity_not_found'
end
if ARGV[1] == '1' and administersNow(KEYS[1], KEYS[2]) then
  local after = {}
  for _, field in ipairs({ 'state', 'scopes', 'jwks', 'jwksCeiling' }) do
    after[field] = redis.call('HGET', KEYS[1], field)
  end
  for i = 2, #ARGV, 2 do
    after[ARGV[i]] = ARGV[i + 1]
  end
  local codes = redis.call('HVALS', KEYS[2])
  if not administers(after.state, after.scopes, after.jwks, after.jwksCeiling, codes) then
    return 'last_administrator'
  end
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return {
  redis.call('HGETALL', KEYS[1]),
  redis.call('HVALS', KEYS[2]),
  string.format('%.0f', nowMs),
}
