import type { RedisOptions as AnyRedisOptions } from 'ioredis'
import { RedisUrlError } from './errors.js'

/** Without the option that changes the type of replies; ours keep their RESP2 shapes. */
export type RedisOptions = Omit<AnyRedisOptions, 'replyMapping'>

export interface Address {
  host: string
  port: number
}

/** Credentials and TLS. */
export type Access = Pick<RedisOptions, 'username' | 'password' | 'tls'>

/** The meaning of a URL: one server, a master that Sentinels know, or a Cluster. */
export type Target =
  | { kind: 'server'; options: RedisOptions }
  | { kind: 'sentinel'; options: RedisOptions }
  | { kind: 'cluster'; nodes: Address[]; access: Access }

/** @throws RedisUrlError, whose message names the supported forms */
export function targetOf(url: string): Target {
  const match =
    /^(rediss?)\+(sentinel|cluster):\/\/(?:([^@/?]*)@)?([^/?@]+)(\/[^?]*)?(\?.*)?$/.exec(url)
  try {
    if (match === null) {
      return { kind: 'server', options: serverOf(new URL(url)) }
    }
    const [, scheme, kind, user, hosts = '', path = '', query] = match
    const access: Access = {
      ...credentialsOf(user),
      ...(scheme === 'rediss' ? { tls: {} } : {}),
    }
    const parameters = new URLSearchParams(query)
    return kind === 'sentinel'
      ? sentinelOf(hosts, path, parameters, access)
      : clusterOf(hosts, path, parameters, access)
  } catch (error) {
    // The URL, or an escape in it, cannot be parsed.
    throw error instanceof Unreadable || !(error instanceof TypeError || error instanceof URIError)
      ? new RedisUrlError(url, error instanceof Unreadable ? error.message : undefined)
      : new RedisUrlError(url)
  }
}

/** Explains the problem for the message; never quotes a part that may be a secret. */
class Unreadable extends Error {}

function serverOf(url: URL): RedisOptions {
  const db = databaseOf(
    url.protocol === 'unix:' ? url.searchParams.get('db') : url.pathname.slice(1),
  )
  const common: RedisOptions = { db, ...credentials(url.username, url.password) }
  switch (url.protocol) {
    case 'unix:':
      return { ...common, path: decodeURIComponent(url.pathname) }
    case 'rediss:':
      return { ...common, ...addressOf(url), tls: { servername: url.hostname } }
    case 'redis:':
      return { ...common, ...addressOf(url) }
    default:
      throw new Unreadable('')
  }
}

function addressOf(url: URL): Address {
  return { host: url.hostname || '127.0.0.1', port: Number(url.port || 6379) }
}

function sentinelOf(
  hosts: string,
  path: string,
  parameters: URLSearchParams,
  access: Access,
): Target {
  const name = decodeURIComponent(path.slice(1))
  if (name === '') {
    throw new Unreadable("the master's name is missing after the last host")
  }
  const [sentinelUsername, sentinelPassword] = ['sentinelUser', 'sentinelPassword'].map((key) =>
    parameters.get(key),
  )
  refuseUnknownParameters(parameters, ['db', 'sentinelUser', 'sentinelPassword'])
  return {
    kind: 'sentinel',
    options: {
      ...access,
      name,
      db: databaseOf(parameters.get('db')),
      sentinels: addressesOf(hosts, 26_379),
      ...(sentinelUsername == null ? {} : { sentinelUsername }),
      ...(sentinelPassword == null ? {} : { sentinelPassword }),
      // With TLS to the Sentinels, the servers use TLS too.
      ...(access.tls === undefined
        ? {}
        : { sentinelTLS: access.tls, enableTLSForSentinelMode: true }),
    },
  }
}

function clusterOf(
  hosts: string,
  path: string,
  parameters: URLSearchParams,
  access: Access,
): Target {
  if (databaseOf(path.slice(1)) !== 0) {
    throw new Unreadable('a Cluster has only database 0')
  }
  refuseUnknownParameters(parameters, [])
  return { kind: 'cluster', nodes: addressesOf(hosts, 6379), access }
}

function addressesOf(hosts: string, port: number): Address[] {
  return hosts.split(',').map((text) => {
    const [, v6, name, given] =
      /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i.exec(text) ?? []
    const host = v6 ?? name
    if (host === undefined || Number(given ?? port) > 65_535) {
      throw new Unreadable('hosts must be host:port, separated by commas')
    }
    return { host, port: Number(given ?? port) }
  })
}

function databaseOf(text: string | null): number {
  if (text !== null && !/^\d{0,4}$/.test(text)) {
    throw new Unreadable('the database must be a number')
  }
  return Number(text ?? 0)
}

function credentialsOf(user: string | undefined): Access {
  if (user === undefined) {
    return {}
  }
  const colon = user.indexOf(':')
  return colon < 0
    ? credentials(user, '')
    : credentials(user.slice(0, colon), user.slice(colon + 1))
}

function credentials(username: string, password: string): Access {
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  }
}

function refuseUnknownParameters(parameters: URLSearchParams, known: readonly string[]): void {
  if ([...parameters.keys()].some((key) => !known.includes(key))) {
    throw new Unreadable(
      known.length === 0
        ? 'this form takes no parameters'
        : `the allowed parameters are ${known.join(', ')}`,
    )
  }
}
