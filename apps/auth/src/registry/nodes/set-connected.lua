--[[
  Records which feed connection of a node is open, or that this connection has closed.

  state  'open' | 'closed'

  Returns nothing.
]]
local connectedKey = KEYS[1]
local node, instance, connection, state = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local value = instance .. ' ' .. connection
if state == 'open' then
  redis.call('HSET', connectedKey, node, value)
elseif redis.call('HGET', connectedKey, node) == value then
  redis.call('HDEL', connectedKey, node)
end
return false
