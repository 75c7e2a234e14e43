import { lookup as resolve } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { AuthError } from '../../errors.js'

/**
 * Link-local addresses, and the metadata services of clouds at other addresses. They serve secrets to
 * the machine that asks. Private networks are allowed: whoever may configure receivers knows them.
 */
const refused = new BlockList()
refused.addSubnet('169.254.0.0', 16, 'ipv4')
refused.addSubnet('fe80::', 10, 'ipv6')
refused.addAddress('fd00:ec2::254', 'ipv6')
refused.addAddress('fd20:ce::254', 'ipv6')
refused.addAddress('100.100.100.200', 'ipv4')

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Parses the URL of a push endpoint (RFC 8935 §2: TLS).
 *
 * @param httpHosts - names of hosts besides this machine that may be reached without TLS
 * @throws AuthError `invalid_request`
 */
export function endpointOf(text: string, httpHosts: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalid('must be an https: URL')
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('must have no user and password; set authorization_header instead')
  }
  if (url.hash !== '') {
    throw invalid('must have no fragment')
  }
  if (
    url.protocol === 'http:' &&
    !loopback.test(url.hostname) &&
    !httpHosts.includes(url.hostname)
  ) {
    throw invalid('must be https:, except for this machine and the hosts of EVENT_HTTP_HOSTS')
  }
  // `lookup` checks the addresses of names.
  const address = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (isRefused(address)) {
    throw invalid('must not be a link-local address')
  }
  return url
}

/** Resolves a host name for a connection. Fails when one of its addresses is refused. */
export const lookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? []
    if (error !== null || first === undefined) {
      callback(error ?? new Error(`${hostname} has no address`), [])
      return
    }
    if (addresses.some(({ address }) => isRefused(address))) {
      callback(new Error(`${hostname} has a link-local address`), [])
    } else if (options.all === true) {
      callback(null, addresses)
    } else {
      callback(null, first.address, first.family)
    }
  })
}

function isRefused(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && refused.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

function invalid(rule: string): AuthError {
  return new AuthError('invalid_request', `delivery: endpoint_url ${rule}`)
}
