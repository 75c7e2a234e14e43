--[[
  Deletes a channel's stream if it has lost a publication that Redis acknowledged: one beyond the
  end, or one within the gap of the last change of masters. The next publication starts a new epoch.

  KEYS  1 streamKey
        2 placeKey
  ARGV  1 offset         of the acknowledged publication
        2 epoch
  Returns 1 when it was lost, otherwise 0.
]]
local streamKey, placeKey = KEYS[1], KEYS[2]
local offset, epoch = tonumber(ARGV[1]), ARGV[2]

local place = redis.call('HMGET', placeKey, 'offset', 'epoch', 'forkedAfter', 'forkedAt')
local last, currentEpoch, forkedAfter, forkedAt = place[1], place[2], place[3], place[4]
if currentEpoch ~= epoch then
  return 0
end
local inGap = forkedAfter and offset > tonumber(forkedAfter) and offset < tonumber(forkedAt)
if offset <= tonumber(last) and not inGap then
  return 0
end
redis.call('DEL', streamKey, placeKey)
return 1
