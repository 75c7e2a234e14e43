--[[
  Forgets what a channel keeps; its offsets go on.
  KEYS  1 stream
  Returns the number of streams removed.
]]
return redis.call('DEL', KEYS[1])
