--[[
  Deletes a channel's history; its offsets continue.

  KEYS  1 streamKey
  Returns the number of streams deleted.
]]
local streamKey = KEYS[1]

return redis.call('DEL', streamKey)
