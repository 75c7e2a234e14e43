--[[
  Makes revocations no longer wait for a process that has closed all its connections. Another process
  with its name stays. The process is fenced, not forgotten, so that its receipts are completed even if
  the caller ends before it settles them.

  Returns the microsecond of the fence as a string, or nil when the process is unknown.
]]
--- @include "../lua/lease.lua"
local clockKey, nodesKey, leasesKey = KEYS[1], KEYS[2], KEYS[3]
local node, instance = ARGV[1], ARGV[2]

local known = redis.call('HGET', nodesKey, node)
if known and string.match(known, '^(%S+)') == instance then
  redis.call('HDEL', nodesKey, node)
end
return fencePart(clockKey, leasesKey, instance .. ':' .. node)
