--[[
  Adds a registration code, and shortens the life of the others when it is a rotation.
  Codes that no longer work are removed first. A code that is there already stays as it is.
  KEYS  1 identity  2 codes
  ARGV  1 code's hash  2 code's id  3 ttl in seconds or ''
        4 the others' remaining seconds or ''  5 most codes at once
  Gives the code's value, or 'identity_not_found', or 'too_many_codes'.
]]
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 'identity_not_found'
end
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- What becomes of every other code, decided before anything is written: a refusal changes nothing.
local codes = redis.call('HGETALL', KEYS[2])
local present = nil
local count = 0
local gone = {}
local kept = {}
for i = 1, #codes, 2 do
  local id, createdAt, expiresAt = string.match(codes[i + 1], '^(%S+) (%S+) (%S+)$')
  local ends = tonumber(expiresAt) -- nil for '-'
  local works = not ends or ends > nowMs
  if codes[i] == ARGV[1] and works then
    present = codes[i + 1]
    count = count + 1
  else
    if ARGV[4] ~= '' then
      local latest = nowMs + tonumber(ARGV[4]) * 1000
      if not ends or ends > latest then
        ends = latest
      end
    end
    if ends and ends <= nowMs then
      table.insert(gone, codes[i])
    else
      count = count + 1
      if ends then
        kept[codes[i]] = string.format('%s %s %.0f', id, createdAt, ends)
      end
    end
  end
end
if not present and count >= tonumber(ARGV[5]) then
  return 'too_many_codes'
end

for _, hash in ipairs(gone) do
  redis.call('HDEL', KEYS[2], hash)
end
for hash, value in pairs(kept) do
  redis.call('HSET', KEYS[2], hash, value)
end
if present then
  return present
end
local expiresAt = '-'
if ARGV[3] ~= '' then
  expiresAt = string.format('%.0f', nowMs + tonumber(ARGV[3]) * 1000)
end
local value = string.format('%s %.0f %s', ARGV[2], nowMs, expiresAt)
redis.call('HSET', KEYS[2], ARGV[1], value)
return value
