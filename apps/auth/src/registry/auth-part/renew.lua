--[[
  Counts a renewal of an auth instance's lease in this partition.
  With partition-clock.lua and lease.lua.
  KEYS  1 clock  2 leases  3 pending  4 feed
  ARGV  1 part  2 fenceMs  3 askedUs  4 askedMark, the last two as `renewPart` takes them
  Returns what `renewPart` returns; or 'not_joined', and then nothing has changed.
]]
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then
  return 'not_joined'
end
return renewPart(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
