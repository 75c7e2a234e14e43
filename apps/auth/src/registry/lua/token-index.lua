--[[
  Functions for scripts that keep the index of an identity's tokens. A token's entries are
  `<member>\n<issuedUs, 16 digits>\n<jti>`, one for each member that selects it: `*`, `s:<subject>`,
  `l:<label>`, `p:<jti of a parent>`, and `!` when it was revoked by its id. In `expiring` it is one
  member that tells all of them: `<issuedUs>\n<jti>\n<subject>\n<labels>`, and `\n<parents>` if there are
  any. None of these parts has a line feed in it.
]]
local function placeOf(issuedUs, jti)
  return string.format('\n%016.0f\n%s', tonumber(issuedUs), jti)
end

-- What selects a token: members of the index, and of its identity's cut-offs.
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

-- Keys go with the last of their tokens.
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
