--[[
  Checks a registration code of an identity. A right code works whatever was tried before; wrong codes
  decide only how the next wrong one is answered: after so many from one address it is told to wait, for
  a time that doubles. A right code forgets them.
  An identity that is not there, a wrong code, one that has expired and a wrong code of a suspended
  identity run the same commands; only a right code has the identity read.
  KEYS  1 identity  2 codes  3 wrong codes of this identity from this address
  ARGV  1 code's hash  2 wrong codes before the first wait  3 first wait in ms  4 longest wait in ms
        5 '1' to count a wrong code; '0' to write nothing
  Returns {identity's fields, codes' values, now in ms, this code's value}; for a wrong code how long to
  wait in ms, or 'wrong' when there is nothing to wait for.
]]
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local exists = redis.call('EXISTS', KEYS[1]) == 1
local code = redis.call('HGET', KEYS[2], ARGV[1])
local expiresAt = code and string.match(code, '^%S+ %S+ (%S+)')
local works = expiresAt and (expiresAt == '-' or tonumber(expiresAt) > nowMs)
if exists and works then
  redis.call('DEL', KEYS[3])
  return {
    redis.call('HGETALL', KEYS[1]),
    redis.call('HVALS', KEYS[2]),
    string.format('%.0f', nowMs),
    code,
  }
end

local untilMs = tonumber(redis.call('HGET', KEYS[3], 'untilMs') or '0')
if nowMs < untilMs then
  return untilMs - nowMs
end
if ARGV[5] ~= '1' then
  return 'wrong'
end
local wrong = redis.call('HINCRBY', KEYS[3], 'count', 1)
local longestMs = tonumber(ARGV[4])
local waitMs = 0
if wrong >= tonumber(ARGV[2]) then
  waitMs = math.min(tonumber(ARGV[3]) * 2 ^ (wrong - tonumber(ARGV[2])), longestMs)
end
redis.call('HSET', KEYS[3], 'untilMs', string.format('%.0f', nowMs + waitMs))
-- As long as the longest wait again, so that one guess after each wait is no way to begin anew.
redis.call('PEXPIRE', KEYS[3], string.format('%.0f', waitMs + longestMs))
return 'wrong'
