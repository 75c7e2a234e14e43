--[[
  Writes into a receipt how many tokens its revocation covered, unless the receipt has expired.
  KEYS  1 receipt
  ARGV  1 tokens
  Gives nothing.
]]
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'tokens', ARGV[1])
end
return false
