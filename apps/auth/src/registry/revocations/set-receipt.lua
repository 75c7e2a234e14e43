--[[
  Sets fields of a receipt after the commit, unless the receipt has expired.

  ARGV  field, value, …

  Returns 1, or 0 when there is no such receipt.
]]
local receiptKey = KEYS[1]

if redis.call('EXISTS', receiptKey) == 0 then
  return 0
end
redis.call('HSET', receiptKey, unpack(ARGV))
return 1
