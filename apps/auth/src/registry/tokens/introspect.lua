--[[
  Checks tokens of one partition. A token is active only when every check holds.

  KEYS[2]…  for each identity: its hash, its cut-offs; then for each token: its hash
  ARGV[2]…  for each identity: its name; then for each token: the position of its identity, and the
            digest of the presented text, or '' when the registry is asked by id

  Returns for each token nil, or its fields, one a line: issuedUs, expiresAt in ms, the
  milliseconds until then, subject, scope, labels, parents. One string costs the caller less than a list.
]]
--- @include "../lua/redis-time.lua"
--- @include "../lua/token-index.lua"
local cutoffAllKey, identityCount = KEYS[1], tonumber(ARGV[1])

local nowMs = redisTimeMs()
local cutoffAll = tonumber(redis.call('GET', cutoffAllKey) or '-1')

-- Many tokens of a batch share an identity: read each identity once.
local identities = {}
local function identityAt(position)
  local known = identities[position]
  if not known then
    local identityKey, cutoffsKey = KEYS[position * 2], KEYS[position * 2 + 1]
    local fields = redis.call('HMGET', identityKey, 'state', 'createdUs')
    known = {
      active = fields[1] == 'active',
      createdUs = fields[2] and tonumber(fields[2]) or math.huge,
      cutoffsKey = redis.call('EXISTS', cutoffsKey) == 1 and cutoffsKey,
    }
    identities[position] = known
  end
  return known
end

local function check(tokenKey, position, digest)
  local token = redis.call('HMGET', tokenKey, 'digest', 'identity', 'issuedUs', 'expiresAt',
    'revoked', 'subject', 'scope', 'labels', 'parents')
  -- Only the text that auth has issued is the token, whoever can sign.
  if not token[1] or (digest ~= '' and token[1] ~= digest) then
    return false
  end
  if token[2] ~= ARGV[position + 1] or token[5] then
    return false
  end
  local issuedUs = tonumber(token[3])
  if nowMs >= tonumber(token[4]) or issuedUs <= cutoffAll then
    return false
  end
  local identity = identityAt(position)
  -- A token older than its identity belongs to a deleted identity of the same name.
  if not identity.active or issuedUs <= identity.createdUs then
    return false
  end
  if identity.cutoffsKey
    and isCutOff(identity.cutoffsKey, issuedUs, token[6], token[8], token[9]) then
    return false
  end
  local left = string.format('%.0f', tonumber(token[4]) - nowMs)
  return table.concat({ token[3], token[4], left, token[6], token[7], token[8], token[9] }, '\n')
end

local answers = {}
local firstKey, firstArgument = 2 + identityCount * 2, 2 + identityCount
for i = 0, #KEYS - firstKey do
  local argument = firstArgument + i * 2
  answers[i + 1] = check(KEYS[firstKey + i], tonumber(ARGV[argument]), ARGV[argument + 1])
end
return answers
