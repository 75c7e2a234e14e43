--[[
  Functions for scripts that keep the index of an identity's tokens. A token's entries are
  `<member>\n<issuedUs, 16 digits>\n<jti>`, one for each member that selects it: `*`, `s:<subject>`,
  `l:<label>`, and `!` when it was revoked by its id. In `expiring` it is one member that tells all of
  them: `<issuedUs>\n<jti>\n<subject>\n<labels>`. None of these parts has a line feed in it.
]]
local function placeOf(issuedUs, jti)
  return string.format('\n%016.0f\n%s', tonumber(issuedUs), jti)
end

local function entriesOf(place, subject, labels)
  local entries = { '*' .. place, 's:' .. subject .. place }
  for label in string.gmatch(labels, '%S+') do
    entries[#entries + 1] = 'l:' .. label .. place
  end
  return entries
end

-- Keys go with the last of their tokens.
local function addToken(indexKey, expiringKey, token)
  local add = { 'ZADD', indexKey }
  for _, entry in ipairs(entriesOf(placeOf(token.issuedUs, token.jti), token.subject, token.labels)) do
    add[#add + 1] = 0
    add[#add + 1] = entry
  end
  redis.call(unpack(add))
  redis.call('ZADD', expiringKey, token.expiresAt,
    table.concat({ token.issuedUs, token.jti, token.subject, token.labels }, '\n'))
end

local function setExpiry(indexKey, expiringKey)
  local newest = redis.call('ZREVRANGE', expiringKey, 0, 0, 'WITHSCORES')[2]
  if newest then
    redis.call('PEXPIREAT', indexKey, string.format('%.0f', tonumber(newest)))
    redis.call('PEXPIREAT', expiringKey, string.format('%.0f', tonumber(newest)))
  end
end

-- Forgets tokens that have expired by `nowMs`, `most` of them; gives how many.
local function prune(indexKey, expiringKey, nowMs, most)
  local expired = redis.call('ZRANGEBYSCORE', expiringKey, '-inf', nowMs, 'LIMIT', 0, most)
  for _, member in ipairs(expired) do
    local us, jti, subject, labels = string.match(member, '^(%d+)\n([^\n]+)\n([^\n]*)\n([^\n]*)$')
    if us then
      local place = placeOf(us, jti)
      redis.call('ZREM', indexKey, '!' .. place, unpack(entriesOf(place, subject, labels)))
    end
    redis.call('ZREM', expiringKey, member)
  end
  return #expired
end

-- Returns the milliseconds until fewer than `most` of the identity's tokens live; 0 when there are fewer.
local function waitForRoom(expiringKey, nowMs, most)
  -- Among all are some that have expired; the living are counted only when it matters.
  if redis.call('ZCARD', expiringKey) < most then
    return 0
  end
  local living = '(' .. nowMs
  local beyond = redis.call('ZCOUNT', expiringKey, living, '+inf') - most
  if beyond < 0 then
    return 0
  end
  local last = redis.call('ZRANGEBYSCORE', expiringKey, living, '+inf', 'WITHSCORES', 'LIMIT', beyond, 1)
  return tonumber(last[2]) - tonumber(nowMs)
end
