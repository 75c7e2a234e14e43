-- Returns {fields of the identity's hash, values of its codes, nowMs as a string}: what `identityOf` in
-- identities/record.ts reads.
local function identityReply(identityKey, codesKey, nowMs)
  return {
    redis.call('HGETALL', identityKey),
    redis.call('HVALS', codesKey),
    string.format('%.0f', nowMs),
  }
end
