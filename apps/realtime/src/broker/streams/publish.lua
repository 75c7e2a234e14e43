--[[
  Publishes into a channel with a history, in one step: assigns the offset, stores the publication
  and sends it to every node.

  A replica that becomes master may lack the last publications that its master acknowledged, and so
  may a restarted Redis. Clients may have received those publications, so their offsets must not be
  used again. When the replication id differs from that of the last publication, the offset jumps
  and the publication names the previous offset in 'after': a client whose position is greater than
  that has received lost publications.

  KEYS  1 streamKey
        2 placeKey
        3 onceKey        idempotency key; optional
  ARGV  1 publication    encoded
        2 historySize    publications to keep
        3 historySeconds
        4 newEpoch       used when the stream does not exist
        5 placeSeconds   lifetime of the stream's position after this publication
        6 onceSeconds    lifetime of the idempotency key
        7 jump           added to the offset after a change of masters
        8 redisChannel   of the channel's messages. In this slot, but not in KEYS: while a slot
                         migrates, Redis refuses scripts with a missing key.
        9 version        of the data; '' without one. Publishes nothing if it is not greater than the
                         last version of the same versionEpoch.
       10 versionEpoch
  Returns {offset, epoch}: of this publication, or the end of the stream if it published nothing.
]]
local streamKey, placeKey, onceKey = KEYS[1], KEYS[2], KEYS[3]
local publication, historySize, historySeconds, newEpoch = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local placeSeconds, onceSeconds, jump, redisChannel = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local version, versionEpoch = ARGV[9], ARGV[10]

if onceKey then
  local done = redis.call('HMGET', onceKey, 'offset', 'epoch')
  if done[1] then
    return done
  end
end
local info = redis.pcall('INFO', 'replication')
local replicationId = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or ''
local place = redis.call('HMGET', placeKey, 'offset', 'epoch', 'line')
local last, epoch = tonumber(place[1] or '0'), place[2]
local offset = last + 1
if not epoch then
  epoch, offset = newEpoch, 1
  redis.call('DEL', streamKey, placeKey)
elseif place[3] ~= replicationId then
  offset = last + tonumber(jump)
end
if version ~= '' then
  local newest = redis.call('HMGET', placeKey, 'version', 'versionEpoch')
  if newest[1] and newest[2] == versionEpoch and tonumber(version) <= tonumber(newest[1]) then
    return { place[1], epoch }
  end
  redis.call('HSET', placeKey, 'version', version, 'versionEpoch', versionEpoch)
end
local id = string.format('%.0f', offset)
local entry, position = { 'pub', publication }, 'p' .. id .. ' ' .. epoch
redis.call('HSET', placeKey, 'offset', id, 'epoch', epoch, 'line', replicationId)
if offset > last + 1 then
  local after = string.format('%.0f', last)
  entry = { 'pub', publication, 'after', after }
  position = position .. ' ' .. after
  redis.call('HSET', placeKey, 'forkedAfter', after, 'forkedAt', id)
end
redis.call('EXPIRE', placeKey, placeSeconds)
redis.call('XADD', streamKey, 'MAXLEN', historySize, id .. '-0', unpack(entry))
redis.call('EXPIRE', streamKey, historySeconds)
redis.call('SPUBLISH', redisChannel, position .. '\n' .. publication)
if onceKey then
  redis.call('HSET', onceKey, 'offset', id, 'epoch', epoch)
  redis.call('EXPIRE', onceKey, onceSeconds)
end
return { id, epoch }
