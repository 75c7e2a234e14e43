--[[
  Checks a registration code of an identity, and makes who guesses wait: after so many wrong codes from
  one address no code of the identity is looked at from there until a time is over, which doubles with
  each further wrong one. A right one forgets them.
  An identity that is not there, a wrong code, one that has expired and a wrong code of a suspended
  identity run the same commands; only a right code has the identity read.
  KEYS  1 identity  2 codes  3 wrong codes of this identity from this address
  ARGV  1 code's hash  2 wrong codes before the first wait  3 first wait in ms  4 longest wait in ms
  Gives how long to wait in ms, or 'wrong', or {identity's fields, codes' values, now in ms}.
]]
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local untilMs = tonumber(redis.call('HGET', KEYS[3], 'untilMs') or '0')
if nowMs < untilMs then
  return untilMs - nowMs
end

local exists = redis.call('EXISTS', KEYS[1]) == 1
local code = redis.call('HGET', KEYS[2], ARGV[1])
local expiresAt = code and string.match(code, '^%S+ %S+ (%S+)$')
local works = expiresAt and (expiresAt == '-' or tonumber(expiresAt) > nowMs)
if exists and works then
  redis.call('DEL', KEYS[3])
  return { redis.call('HGETALL', KEYS[1]), redis.call('HVALS', KEYS[2]), string.format('%.0f', nowMs) }
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
