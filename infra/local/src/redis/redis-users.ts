import { randomBytes } from 'node:crypto'
import { close, connect } from '@portcullis/redis'

/** First parts of the keys: no pattern of one of them matches a key of the other. */
export const prefixes = { auth: 'portcullis', realtime: 'portcullis-realtime' } as const

/**
 * What each service's user may do. `auth` may use the keys of the registry, and of the audit log no more
 * than docs/audit.md says; `config|get` is for `portcullis doctor`. `realtime` may use the keys and
 * channels of its nodes, and cannot list the names of others.
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
 * Makes the services' users on a Redis that is ours alone, with new passwords. Returns the URL of each;
 * the given URL stays the operator's.
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

/** Returns the same URL as another user's. */
export function withUser(url: string, user: string, password: string): string {
  const [, scheme = '', rest = ''] = /^([a-z+]+:\/\/)(?:[^@/]*@)?(.*)$/.exec(url) ?? []
  // A socket's path follows a host, which a URL with a user must have and nobody reads.
  const place = rest.startsWith('/') ? `localhost${rest}` : rest
  return `${scheme}${user}:${password}@${place}`
}
