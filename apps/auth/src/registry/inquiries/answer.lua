--[[
  Keeps a node's answer to an inquiry for whoever asked, and says that it is there.
  KEYS  1 inquiry
  ARGV  1 answer  2 how long to keep it in ms  3 channel  4 the inquiry's id
  Gives nil.
]]
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return false
