--[[
  Takes tokens of a version before the index into it. With token-index.lua.
  KEYS  1 index  2 expiring  3 tokens  4 expiries, of that version, then each token
  ARGV  the tokens' ids
  Gives nil. Doing it twice changes nothing.
]]
for i, jti in ipairs(ARGV) do
  local token = redis.call('HMGET', KEYS[i + 4],
    'issuedUs', 'subject', 'labels', 'expiresAt', 'revoked')
  if token[1] then
    addToken(KEYS[1], KEYS[2], {
      issuedUs = token[1],
      jti = jti,
      subject = token[2],
      labels = token[3],
      parents = '',
      expiresAt = token[4],
    })
    if token[5] then
      redis.call('ZADD', KEYS[1], 0, '!' .. placeOf(token[1], jti))
    end
  end
  redis.call('ZREM', KEYS[3], jti)
  redis.call('ZREM', KEYS[4], jti)
end
setExpiry(KEYS[1], KEYS[2])
return false
