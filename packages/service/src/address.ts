import { isIP } from 'node:net'
import proxyAddresses from '@fastify/proxy-addr'
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { ConfigError } from './config.js'

/**
 * Returns the address that limits count a request for: the direct peer's, or the client's if a trusted
 * proxy (`TRUST_PROXY`) reports it; without a port. Providers assign whole IPv6 networks of 64 bits, so
 * such a network counts as one address.
 */
export function addressOf(request: FastifyRequest): string {
  return normalizeIP(clientAddressOf(request))
}

/** Returns the client's full address for logs, without a port; the proxy's if the proxy reports none. */
export function clientAddressOf({ ip, raw }: FastifyRequest): string {
  // A proxy may write `unknown` (RFC 7239 §6.2). Other text must not count as an address, since a client
  // could invent any number of texts.
  return parseAddress(ip) ?? raw.socket.remoteAddress ?? 'unknown'
}

/**
 * Returns Fastify's option `trustProxy` for a list of addresses and networks, separated by commas. Also
 * trusts a proxy whose address another proxy reported with a port.
 *
 * @throws ConfigError when an entry is not an address or network
 */
export function trustProxy(list: string | undefined): false | ((address: string) => boolean) {
  if (list === undefined) {
    return false
  }
  const isTrusted = compile(list.split(',').map((each) => each.trim()))
  return (address) => isTrusted(parseAddress(address) ?? address, 0)
}

function compile(entries: string[]): ReturnType<typeof proxyAddresses.compile> {
  try {
    return proxyAddresses.compile(entries)
  } catch {
    throw new ConfigError([
      'TRUST_PROXY must be IP addresses or networks separated by commas, as in 10.0.0.0/8,::1',
    ])
  }
}

/** Returns the IP address in `203.0.113.2:5000`, `[2001:db8::7]:4711`, `[2001:db8::7]` or an address alone. */
function parseAddress(text: string): string | undefined {
  const { host = text } =
    /^\[(?<host>[^\]]*)\](?::\d*)?$/.exec(text)?.groups ??
    /^(?<host>[^:]*):\d*$/.exec(text)?.groups ??
    {}
  const address = host.replace(/%.*$/s, '')
  return isIP(address) === 0 ? undefined : address
}

export interface WarnOfProxyOptions {
  /** The setting `TRUST_PROXY`. */
  trusted: string | undefined
}

/** Logs a warning at the first request with `X-Forwarded-For` when no proxy is trusted. */
export const warnOfProxy = plugin(
  async (app: FastifyInstance, { trusted }: WarnOfProxyOptions) => {
    if (trusted !== undefined) {
      return
    }
    let warned = false
    app.addHook('onRequest', (request, _reply, done) => {
      if (warned || request.headers['x-forwarded-for'] === undefined) {
        done()
        return
      }
      warned = true
      request.log.warn(
        { peer: request.ip },
        `X-Forwarded-For came from ${request.ip}, but TRUST_PROXY is not set: limits count all clients behind that proxy as one address. If ${request.ip} is your proxy, set TRUST_PROXY=${request.ip}`,
      )
      done()
    })
  },
  { name: 'warn-of-proxy', fastify: '5.x' },
)
