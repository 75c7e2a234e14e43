--[[
  Replaces a receiver of security events (JSON), unless it has changed since it was read.

  Returns 1, or 0 when another value is stored.
]]
local receiversKey = KEYS[1]
local receiverId, expected, replacement = ARGV[1], ARGV[2], ARGV[3]

if redis.call('HGET', receiversKey, receiverId) ~= expected then
  return 0
end
redis.call('HSET', receiversKey, receiverId, replacement)
return 1
