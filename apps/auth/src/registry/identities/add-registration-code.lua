--[[
  Adds a registration code. With `othersTtlSeconds` this is a rotation: the other codes expire after that
  time at the latest. Codes that no longer work are removed.

  A code that works already is not changed. A code that was removed from an administrator, or has
  expired, is not added again.

  ttlSeconds, othersTtlSeconds  '' for no expiry
  ceiling                       scopes, or '' for no ceiling
  mustAdminister                '1' when the identity must remain an administrator, else ''

  Returns the value of the code; or 'identity_not_found', 'too_many_codes', 'code_removed' or
  'last_administrator', having changed nothing.
]]
--- @include "../lua/administrator.lua"
--- @include "../lua/redis-time.lua"
local identityKey, codesKey, removedCodesKey = KEYS[1], KEYS[2], KEYS[3]
local codeHash, codeId, ttlSeconds, othersTtlSeconds = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local maxCodes, ceiling, mustAdminister = tonumber(ARGV[5]), ARGV[6], ARGV[7]

if redis.call('EXISTS', identityKey) == 0 then
  return 'identity_not_found'
end
local nowMs = redisTimeMs()

-- Decides about every other code before the first write: a refusal changes nothing.
local codes = redis.call('HGETALL', codesKey)
local present = nil
local isRemoved = redis.call('SISMEMBER', removedCodesKey, codeHash) == 1
local gone = {}
local kept = {}
local after = {}
for i = 1, #codes, 2 do
  local id, createdAt, expiresAt, codeCeiling = string.match(codes[i + 1], '^(%S+) (%S+) (%S+)(.*)$')
  local ends = tonumber(expiresAt) -- nil for '-'
  local works = not ends or ends > nowMs
  if codes[i] == codeHash and works then
    present = codes[i + 1]
    table.insert(after, present)
  else
    isRemoved = isRemoved or codes[i] == codeHash
    if othersTtlSeconds ~= '' then
      local latest = nowMs + tonumber(othersTtlSeconds) * 1000
      if not ends or ends > latest then
        ends = latest
      end
    end
    if ends and ends <= nowMs then
      table.insert(gone, codes[i])
    else
      local value = codes[i + 1]
      if ends then
        value = string.format('%s %s %.0f%s', id, createdAt, ends, codeCeiling)
        kept[codes[i]] = value
      end
      table.insert(after, value)
    end
  end
end
if isRemoved then
  return 'code_removed'
end
if not present and #after >= maxCodes then
  return 'too_many_codes'
end
local value = present
if not value then
  local expiresAt = '-'
  if ttlSeconds ~= '' then
    expiresAt = string.format('%.0f', nowMs + tonumber(ttlSeconds) * 1000)
  end
  value = string.format('%s %.0f %s', codeId, nowMs, expiresAt)
  if ceiling ~= '' then
    value = value .. ' ' .. ceiling
  end
  table.insert(after, value)
end
if mustAdminister == '1' and administersNow(identityKey, codesKey)
  and not administersWith(identityKey, after) then
  return 'last_administrator'
end

rememberRemoved(identityKey, removedCodesKey, gone)
for _, hash in ipairs(gone) do
  redis.call('HDEL', codesKey, hash)
end
for hash, changed in pairs(kept) do
  redis.call('HSET', codesKey, hash, changed)
end
if not present then
  redis.call('HSET', codesKey, codeHash, value)
end
return value
