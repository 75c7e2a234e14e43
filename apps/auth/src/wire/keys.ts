import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.js'
import { followKeys, type KeySet, openKeySet } from '../keys/index.js'
import type { Connections, Listener, Registry } from '../registry/index.js'

/** Opens the signing keys. @throws KeySetError */
export function openKeys({ commands }: Connections, config: Config): Promise<KeySet> {
  return openKeySet({
    redis: commands,
    prefix: config.REDIS_PREFIX,
    secret: config.KEY_ENCRYPTION_SECRET,
    previous: config.KEY_ENCRYPTION_SECRET_PREVIOUS,
    algorithm: config.SIGNING_ALGORITHM,
    rotationDays: config.KEY_ROTATION_DAYS,
  })
}

/** Keeps the signing keys up to date with the other instances. */
export function followKeyChanges(
  app: FastifyInstance,
  keys: KeySet,
  { registry, listener }: { registry: Registry; listener: Listener },
): void {
  const following = followKeys(keys, {
    listener,
    channel: registry.keys.keyNews,
    onError: (err) => app.log.warn({ err }, 'the signing keys cannot be read'),
  })
  app.addHook('onClose', () => following.close())
}
