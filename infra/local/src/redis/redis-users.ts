import { randomBytes } from 'node:crypto'
import { close, connect } from '@portcullis/redis'

/** Prefixes of the keys. No key pattern of one service matches a key of the other. */
export const prefixes = { auth: 'portcullis', realtime: 'portcullis-realtime' } as const

/**
 * ACL rules of each service's user. `auth` may use the keys of the registry, and those of the audit log as
 * docs/audit.md describes; `config|get` is for `portcullis doctor`. `realtime` may use the keys and channels
 * of its nodes, and cannot list the names of other keys.
 */
export const redisRules = {
  auth: [
    ...['+@all', '-@admin', '+config|get', '-flushall', '-flushdb', '-swapdb'],
    `~{${prefixes.auth}:*}:[^a]*`,
    `~${prefixes.auth}:limits:*`,
    `&${prefixes.auth}:*`,
    '(+eval +evalsha +get +set +xadd +xtrim +xrange +xrevrange' +
      ` ~{${prefixes.auth}:*}:audit:* ~{${prefixes.auth}:*}:clock)`,
  ],
  realtime: [
    ...['+@read', '+@write', '+@connection', '+@pubsub', '+@transaction', '+eval', '+evalsha'],
    ...['-@admin', '-@dangerous', '-function', '-scan', '-randomkey', '-dbsize', '+info', '+time'],
    `~{${prefixes.realtime}:*`,
    `~${prefixes.realtime}:*`,
    `&{${prefixes.realtime}:*`,
  ],
} as const

export type RedisUser = keyof typeof redisRules

/**
 * Creates the services' users on a private Redis, with new passwords. Returns the URL of each; the given URL
 * remains the operator's.
 */
export async function makeRedisUsers(operatorUrl: string): Promise<Record<RedisUser, string>> {
  const operator = connect({ url: operatorUrl, onError: () => undefined })
  const make = async (user: RedisUser): Promise<string> => {
    const password = randomBytes(32).toString('base64url')
    await operator.call('ACL', 'SETUSER', user, 'reset', 'on', `>${password}`, ...redisRules[user])
    return withUser(operatorUrl, user, password)
  }
  try {
    await operator.connect()
    return { auth: await make('auth'), realtime: await make('realtime') }
  } finally {
    await close(operator)
  }
}

/** Returns the URL with another user and password. */
export function withUser(url: string, user: string, password: string): string {
  const [, scheme = '', rest = ''] = /^([a-z+]+:\/\/)(?:[^@/]*@)?(.*)$/.exec(url) ?? []
  // A URL with a user must have a host, even where a socket's path follows; clients ignore it.
  const place = rest.startsWith('/') ? `localhost${rest}` : rest
  return `${scheme}${user}:${password}@${place}`
}
