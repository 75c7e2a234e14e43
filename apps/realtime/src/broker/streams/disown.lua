--[[
  Begins a channel's stream anew if it has lost a publication that was acknowledged: one behind its
  end, or in the gap that its last change of masters has left.
  KEYS  1 stream  2 place
  ARGV  1 offset and  2 epoch of that publication
  Gives 1 when it was lost, or 0.
]]
local place = redis.call('HMGET', KEYS[2], 'offset', 'epoch', 'forkedAfter', 'forkedAt')
if place[2] ~= ARGV[2] then
  return 0
end
local offset = tonumber(ARGV[1])
local inGap = place[3] and offset > tonumber(place[3]) and offset < tonumber(place[4])
if offset <= tonumber(place[1]) and not inGap then
  return 0
end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
