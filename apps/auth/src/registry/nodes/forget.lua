--[[
  Forgets a fenced part, unless it has renewed its lease meanwhile. With lease.lua.
  KEYS  1 nodes  2 leases
  ARGV  1 node  2 instance  3 microsecond of its fence
  Gives nothing.
]]
local part = ARGV[2] .. ':' .. ARGV[1]
local _, _, fenced = parseLease(redis.call('HGET', KEYS[2], part))
if fenced == ARGV[3] then
  redis.call('HDEL', KEYS[2], part)
  local known = redis.call('HGET', KEYS[1], ARGV[1])
  if known and string.match(known, '^(%S+)') == ARGV[2] then
    redis.call('HDEL', KEYS[1], ARGV[1])
  end
end
return false
