--[[
  Notes that a new partition knows all of its nodes: it has none.
  KEYS  1 roster
  Gives nothing.
]]
redis.call('SET', KEYS[1], string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'), 'NX')
return false
