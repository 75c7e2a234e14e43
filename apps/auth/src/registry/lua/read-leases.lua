--[[
  Reads every lease of a partition. When another Redis answers than the one that the leases were
  written to (restarted, or a replica in its place), nodes that only lost writes have named may live:
  one called (unknown) is waited for in their stead until a lease of theirs would be out.
  KEYS  1 leases  2 roster  3 nodes
  ARGV  1 fenceMs
  Gives {run id of this Redis, leases as a flat list of part and value, nodes likewise}.
]]
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if redis.call('GET', KEYS[2]) ~= run then
  redis.call('SET', KEYS[2], run)
  redis.call('HSET', KEYS[1], run .. ':(unknown)', '0 ' .. ARGV[1] .. ' -')
end
return { run, redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[3]) }
