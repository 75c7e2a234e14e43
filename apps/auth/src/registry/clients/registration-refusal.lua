-- Returns why the holder of a registration access token may not use it: 'not_registered' or
-- 'identity_suspended'; nil when it may.
local function registrationRefusal(identityKey, tokenHash)
  local fields = redis.call('HMGET', identityKey, 'state', 'registrationToken')
  if not fields[2] or fields[2] == '' or fields[2] ~= tokenHash then
    return 'not_registered'
  end
  if fields[1] ~= 'active' then
    return 'identity_suspended'
  end
  return nil
end
