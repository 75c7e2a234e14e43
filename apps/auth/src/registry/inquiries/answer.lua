--[[
  Stores a node's answer to an inquiry, and publishes the inquiry's id to the instance that asked.

  Returns nothing.
]]
local inquiryKey = KEYS[1]
local answer, keepMs, channel, inquiryId = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

redis.call('RPUSH', inquiryKey, answer)
redis.call('PEXPIRE', inquiryKey, keepMs)
redis.call('PUBLISH', channel, inquiryId)
return false
