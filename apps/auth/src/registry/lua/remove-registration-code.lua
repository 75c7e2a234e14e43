--[[
  Removes one registration code by its id.
  KEYS  1 identity  2 codes
  ARGV  1 code's id
  Gives 'removed', 'identity_not_found' or 'code_not_found'.
]]
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 'identity_not_found'
end
local codes = redis.call('HGETALL', KEYS[2])
for i = 1, #codes, 2 do
  if string.match(codes[i + 1], '^(%S+)') == ARGV[1] then
    redis.call('HDEL', KEYS[2], codes[i])
    return 'removed'
  end
end
return 'code_not_found'
