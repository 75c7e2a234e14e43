--[[
  Creates an identity with its first registration code, or without one. With partition-clock.lua.
  KEYS  1 clock  2 identity  3 codes  4 identities  5 removed codes
  ARGV  1 identity  2 scopes  3 tokenTtlSeconds or ''  4 labels
        5 code's hash or ''  6 code's id  7 code's ttl in seconds or ''
        8 jwks as JSON or ''  9 client metadata as JSON or ''  10 registration access token's hash or ''
        11 ceiling of all three, or ''  12 names of its nodes or ''
  Returns {identity's fields, codes' values, now in ms}, or 'identity_exists', or 'code_removed' when the
  code was an administrator's of this name, and was removed.
]]
if redis.call('EXISTS', KEYS[2]) == 1 then
  return 'identity_exists'
end
if ARGV[5] ~= '' and redis.call('SISMEMBER', KEYS[5], ARGV[5]) == 1 then
  return 'code_removed'
end
-- Later than the cut-off of any identity of this name that was deleted: its tokens are not ours.
local now = nextMoment(KEYS[1])
local nowMs = math.floor(now / 1000)
redis.call('HSET', KEYS[2], 'state', 'active', 'scopes', ARGV[2], 'tokenTtlSeconds', ARGV[3],
  'labels', ARGV[4], 'createdUs', string.format('%.0f', now), 'jwks', ARGV[8], 'client', ARGV[9],
  'registrationToken', ARGV[10], 'jwksCeiling', ARGV[11], 'registrationCeiling', ARGV[11],
  'nodes', ARGV[12])
if ARGV[5] ~= '' then
  local expiresAt = '-'
  if ARGV[7] ~= '' then
    expiresAt = string.format('%.0f', nowMs + tonumber(ARGV[7]) * 1000)
  end
  local value = string.format('%s %.0f %s', ARGV[6], nowMs, expiresAt)
  if ARGV[11] ~= '' then
    value = value .. ' ' .. ARGV[11]
  end
  redis.call('HSET', KEYS[3], ARGV[5], value)
end
redis.call('ZADD', KEYS[4], 0, ARGV[1])
return {
  redis.call('HGETALL', KEYS[2]),
  redis.call('HVALS', KEYS[3]),
  string.format('%.0f', nowMs),
}
