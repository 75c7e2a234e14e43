import { isIP } from 'node:net'
import proxyAddresses from '@fastify/proxy-addr'
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'

/**
 * Returns the address that a request counts for in limits: that of the direct peer, or the one that a
 * trusted proxy names (`TRUST_PROXY`), without a port. An IPv6 network of 64 bits, which providers hand
 * out whole, counts as one address.
 */
export function addressOf(request: FastifyRequest): string {
  return normalizeIP(clientAddressOf(request))
}

/** Returns the client's whole address, for records, without a port; the proxy's when it names none. */
export function clientAddressOf({ ip, raw }: FastifyRequest): string {
  // A proxy may write `unknown` (RFC 7239 section 6.2). Text that is no address must not count as one:
  // each client could make up as many as it likes.
  return parseAddress(ip) ?? raw.socket.remoteAddress ?? 'unknown'
}

/**
 * Returns the option `trustProxy` of Fastify for a list of addresses and networks, separated by commas;
 * also trusts a proxy whose address another proxy wrote with a port.
 *
 * @throws TypeError when an entry is no address or network
 */
export function trustProxy(list: string | undefined): false | ((address: string) => boolean) {
  if (list === undefined) {
    return false
  }
  const isTrusted = proxyAddresses.compile(list.split(',').map((each) => each.trim()))
  return (address) => isTrusted(parseAddress(address) ?? address, 0)
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
    app.addHook('onRequest', async (request) => {
      if (warned || request.headers['x-forwarded-for'] === undefined) {
        return
      }
      warned = true
      request.log.warn(
        { peer: request.ip },
        `X-Forwarded-For came from ${request.ip}, but TRUST_PROXY is not set: limits count all clients behind that proxy as one address. If ${request.ip} is your proxy, set TRUST_PROXY=${request.ip}`,
      )
    })
  },
  { name: 'warn-of-proxy', fastify: '5.x' },
)
