--[[
  Adds a registration code, and shortens the life of the others when it is a rotation.
  Codes that no longer work are removed first. A code that is there already stays as it is; one that was
  removed from an administrator, or has expired, is not added again. With administrator.lua.
  KEYS  1 identity  2 codes  3 removed codes
  ARGV  1 code's hash  2 code's id  3 ttl in seconds or ''
        4 the others' remaining seconds or ''  5 most codes at once  6 code's ceiling or ''
        7 '1' when the identity has to stay an administrator, else ''
  Returns the code's value, or 'identity_not_found', 'too_many_codes', 'code_removed' or
  'last_administrator'; then nothing has changed.
]]
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 'identity_not_found'
end
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- What becomes of every other code, decided before anything is written: a refusal changes nothing.
local codes = redis.call('HGETALL', KEYS[2])
local present = nil
local isRemoved = redis.call('SISMEMBER', KEYS[3], ARGV[1]) == 1
local gone = {}
local kept = {}
local after = {}
for i = 1, #codes, 2 do
  local id, createdAt, expiresAt, ceiling = string.match(codes[i + 1], '^(%S+) (%S+) (%S+)(.*)$')
  local ends = tonumber(expiresAt) -- nil for '-'
  local works = not ends or ends > nowMs
  if codes[i] == ARGV[1] and works then
    present = codes[i + 1]
    table.insert(after, present)
  else
    isRemoved = isRemoved or codes[i] == ARGV[1]
    if ARGV[4] ~= '' then
      local latest = nowMs + tonumber(ARGV[4]) * 1000
      if not ends or ends > latest then
        ends = latest
      end
    end
    if ends and ends <= nowMs then
      table.insert(gone, codes[i])
    else
      local value = codes[i + 1]
      if ends then
        value = string.format('%s %s %.0f%s', id, createdAt, ends, ceiling)
        kept[codes[i]] = value
      end
      table.insert(after, value)
    end
  end
end
if isRemoved then
  return 'code_removed'
end
if not present and #after >= tonumber(ARGV[5]) then
  return 'too_many_codes'
end
local value = present
if not value then
  local expiresAt = '-'
  if ARGV[3] ~= '' then
    expiresAt = string.format('%.0f', nowMs + tonumber(ARGV[3]) * 1000)
  end
  value = string.format('%s %.0f %s', ARGV[2], nowMs, expiresAt)
  if ARGV[6] ~= '' then
    value = value .. ' ' .. ARGV[6]
  end
  table.insert(after, value)
end
if ARGV[7] == '1' and administersNow(KEYS[1], KEYS[2]) then
  local fields = redis.call('HMGET', KEYS[1], 'state', 'scopes', 'jwks', 'jwksCeiling')
  if not administers(fields[1], fields[2], fields[3], fields[4], after) then
    return 'last_administrator'
  end
end

rememberRemoved(KEYS[1], KEYS[3], gone)
for _, hash in ipairs(gone) do
  redis.call('HDEL', KEYS[2], hash)
end
for hash, changed in pairs(kept) do
  redis.call('HSET', KEYS[2], hash, changed)
end
if not present then
  redis.call('HSET', KEYS[2], ARGV[1], value)
end
return value
