import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

/**
 * Returns a unique node name, made of the host name and the port: containers of one image share the
 * port but not the host name. A host name that is the same everywhere, such as `localhost`, is
 * replaced by random characters at each start.
 */
export function defaultNodeName(port: number, host = hostname()): string {
  const isShared = /^(localhost(\..*)?)?$/i.test(host)
  const part = isShared ? randomBytes(4).toString('hex') : host.replace(/[^A-Za-z0-9._-]/g, '-')
  return `realtime-${part.slice(0, 100)}-${port}`
}
