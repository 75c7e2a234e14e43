--[[
  Forgets what a channel keeps; its offsets go on.
  KEYS  1 stream
  Gives the number of streams removed.
]]
return redis.call('DEL', KEYS[1])
