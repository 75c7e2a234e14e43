--[[
  The index of an identity's tokens. `index` has an entry `<member>\n<issuedUs, 16 digits>\n<jti>` for
  each member that selects a token: `*`, `s:<subject>`, `l:<label>`, `p:<jti of a parent>`, and `!` for
  a token that was revoked by its id. `expiring` has one member for each token, from which its entries
  follow: `<issuedUs>\n<jti>\n<subject>\n<labels>`, then `\n<parents>` if the token has any. No value
  contains a line feed.
]]
local function placeOf(issuedUs, jti)
  return string.format('\n%016.0f\n%s', tonumber(issuedUs), jti)
end

-- Returns the members that select a token, in the index and in the cut-offs of its identity.
local function membersOf(subject, labels, parents)
  local members = { '*', 's:' .. subject }
  for label in string.gmatch(labels, '%S+') do
    members[#members + 1] = 'l:' .. label
  end
  for parent in string.gmatch(parents, '%S+') do
    members[#members + 1] = 'p:' .. parent
  end
  return members
end

local function isCutOff(cutoffsKey, issuedUs, subject, labels, parents)
  local members = membersOf(subject, labels, parents)
  for _, score in ipairs(redis.call('ZMSCORE', cutoffsKey, unpack(members))) do
    if score and issuedUs <= tonumber(score) then
      return true
    end
  end
  return false
end

local function entriesOf(place, subject, labels, parents)
  local entries = membersOf(subject, labels, parents)
  for i, member in ipairs(entries) do
    entries[i] = member .. place
  end
  return entries
end

local function addToken(indexKey, expiringKey, token)
  local add = { 'ZADD', indexKey }
  local place = placeOf(token.issuedUs, token.jti)
  for _, entry in ipairs(entriesOf(place, token.subject, token.labels, token.parents)) do
    add[#add + 1] = 0
    add[#add + 1] = entry
  end
  redis.call(unpack(add))
  local parts = { token.issuedUs, token.jti, token.subject, token.labels }
  if token.parents ~= '' then
    parts[5] = token.parents
  end
  redis.call('ZADD', expiringKey, token.expiresAt, table.concat(parts, '\n'))
end

-- Lets both keys expire with the last of their tokens.
local function setExpiry(indexKey, expiringKey)
  local newest = redis.call('ZREVRANGE', expiringKey, 0, 0, 'WITHSCORES')[2]
  if newest then
    redis.call('PEXPIREAT', indexKey, string.format('%.0f', tonumber(newest)))
    redis.call('PEXPIREAT', expiringKey, string.format('%.0f', tonumber(newest)))
  end
end

-- Removes up to `max` tokens that have expired by `nowMs`. Returns how many it removed.
local function prune(indexKey, expiringKey, nowMs, max)
  local expired = redis.call('ZRANGEBYSCORE', expiringKey, '-inf', nowMs, 'LIMIT', 0, max)
  for _, member in ipairs(expired) do
    local us, jti, subject, labels, parents =
      string.match(member, '^(%d+)\n([^\n]+)\n([^\n]*)\n([^\n]*)\n?([^\n]*)$')
    if us then
      local place = placeOf(us, jti)
      redis.call('ZREM', indexKey, '!' .. place, unpack(entriesOf(place, subject, labels, parents)))
    end
    redis.call('ZREM', expiringKey, member)
  end
  return #expired
end

-- Returns the milliseconds until fewer than `max` of the identity's tokens are alive; 0 when there are
-- fewer now.
local function waitForRoom(expiringKey, nowMs, max)
  -- The total includes expired tokens; count those that are alive only when the total is too high.
  if redis.call('ZCARD', expiringKey) < max then
    return 0
  end
  local living = '(' .. nowMs
  local beyond = redis.call('ZCOUNT', expiringKey, living, '+inf') - max
  if beyond < 0 then
    return 0
  end
  local last = redis.call('ZRANGEBYSCORE', expiringKey, living, '+inf', 'WITHSCORES', 'LIMIT', beyond, 1)
  return tonumber(last[2]) - tonumber(nowMs)
end
