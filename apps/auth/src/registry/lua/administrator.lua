--[[
  Functions for scripts that change an identity's codes, keys, scopes or state. The value of a code is
  `id createdAt expiresAt`, then the scopes of its ceiling when it has one.
]]
local function hasAdmin(scopes)
  return string.find(' ' .. (scopes or '') .. ' ', ' admin ', 1, true) ~= nil
end

-- Returns true when an identity can administer permanently: it is active, has the scope `admin`, and
-- has keys or a code that have no ceiling and do not expire.
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

-- Returns true when an identity could administer permanently if it had these codes.
local function administersWith(identityKey, codes)
  local fields = redis.call('HMGET', identityKey, 'state', 'scopes', 'jwks', 'jwksCeiling')
  return administers(fields[1], fields[2], fields[3], fields[4], codes)
end

local function administersNow(identityKey, codesKey)
  return administersWith(identityKey, redis.call('HVALS', codesKey))
end

-- Remembers the hashes of codes that an administrator loses, so that the next start of auth does not add
-- the configured code again.
local function rememberRemoved(identityKey, removedCodesKey, hashes)
  if #hashes > 0 and hasAdmin(redis.call('HGET', identityKey, 'scopes')) then
    redis.call('SADD', removedCodesKey, unpack(hashes))
  end
end
