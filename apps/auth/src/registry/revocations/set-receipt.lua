--[[
  Writes into a receipt what is learned after the commit, unless the receipt has expired.
  KEYS  1 receipt
  ARGV  field, value, …
  Gives 1, or 0 when there is no such receipt.
]]
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
