--[[
  Checks a registration code of an identity. A correct code always works, and resets the count of wrong
  codes. A wrong code after `allowed` of them from the same address is told to wait, for a time that
  doubles.

  An unknown identity, a wrong code, an expired code and a wrong code of a suspended identity run the
  same commands; the identity is read only for a correct code.

  counts  '1' to count a wrong code, '0' to write nothing

  Returns {fields of the identity, values of its codes, now in ms, value of this code}. For a wrong code
  returns the ms to wait, or 'wrong' when no wait applies.
]]
--- @include "../lua/redis-time.lua"
local identityKey, codesKey, wrongCodesKey = KEYS[1], KEYS[2], KEYS[3]
local codeHash, allowed, firstWaitMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local maxWaitMs, counts = tonumber(ARGV[4]), ARGV[5]

local nowMs = redisTimeMs()
local exists = redis.call('EXISTS', identityKey) == 1
local code = redis.call('HGET', codesKey, codeHash)
local expiresAt = code and string.match(code, '^%S+ %S+ (%S+)')
local works = expiresAt and (expiresAt == '-' or tonumber(expiresAt) > nowMs)
if exists and works then
  redis.call('DEL', wrongCodesKey)
  return {
    redis.call('HGETALL', identityKey),
    redis.call('HVALS', codesKey),
    string.format('%.0f', nowMs),
    code,
  }
end

local untilMs = tonumber(redis.call('HGET', wrongCodesKey, 'untilMs') or '0')
if nowMs < untilMs then
  return untilMs - nowMs
end
if counts ~= '1' then
  return 'wrong'
end
local wrong = redis.call('HINCRBY', wrongCodesKey, 'count', 1)
local waitMs = 0
if wrong >= allowed then
  waitMs = math.min(firstWaitMs * 2 ^ (wrong - allowed), maxWaitMs)
end
redis.call('HSET', wrongCodesKey, 'untilMs', string.format('%.0f', nowMs + waitMs))
-- Kept for the longest wait after this one, so that one guess after each wait does not reset the count.
redis.call('PEXPIRE', wrongCodesKey, string.format('%.0f', waitMs + maxWaitMs))
return 'wrong'
