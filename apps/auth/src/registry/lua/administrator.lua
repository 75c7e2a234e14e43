--[[
  Functions for scripts that change the codes, the keys or the scopes of an identity. A code's value is
  `id createdAt expiresAt`, followed by its ceiling when it has one.
]]
local function hasAdmin(scopes)
  return string.find(' ' .. (scopes or '') .. ' ', ' admin ', 1, true) ~= nil
end

-- Returns true when an identity can administer for good: it is active, has the scope `admin`, and has
-- a code or keys without a ceiling and without an end.
local function administers(state, scopes, jwks, jwksCeiling, codes)
  if state ~= 'active' or not hasAdmin(scopes) then
    return false
  end
  if jwks and jwks ~= '' and (not jwksCeiling or jwksCeiling == '') then
    return true
  end
  for _, value in ipairs(codes) do
    if string.match(value, '^%S+ %S+ (%S+)$') == '-' then
      return true
    end
  end
  return false
end

local function administersNow(identityKey, codesKey)
  local fields = redis.call('HMGET', identityKey, 'state', 'scopes', 'jwks', 'jwksCeiling')
  return administers(fields[1], fields[2], fields[3], fields[4], redis.call('HVALS', codesKey))
end

-- Remembers an administrator's codes that are removed, so that a start of auth does not add one again.
local function rememberRemoved(identityKey, removedKey, hashes)
  if #hashes > 0 and hasAdmin(redis.call('HGET', identityKey, 'scopes')) then
    redis.call('SADD', removedKey, unpack(hashes))
  end
end
