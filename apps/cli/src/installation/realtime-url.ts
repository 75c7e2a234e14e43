import { CliError } from '../errors.js'

const socketPath = '/connection/websocket'

/** One realtime node: where its server API is, and where its sockets are opened. */
export interface RealtimeUrl {
  api: string
  socket: string
}

/**
 * Takes any of the forms that people write: `http://host:port`, `ws://host:port`, with or without
 * `/connection/websocket`, with or without a path before it.
 *
 * @throws CliError when it is none of them.
 */
export function realtimeUrl(text: string): RealtimeUrl {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined
  const scheme = url === undefined ? undefined : schemes[url.protocol]
  if (url === undefined || scheme === undefined) {
    throw new CliError('usage', `"${text}" is not a realtime URL; use ws://host:port`)
  }
  const path = url.pathname.replace(/\/+$/, '')
  const base = path.endsWith(socketPath) ? path.slice(0, -socketPath.length) : path
  return {
    api: `${scheme.api}//${url.host}${base}`,
    socket: `${scheme.socket}//${url.host}${base}${socketPath}`,
  }
}

const plain = { api: 'http:', socket: 'ws:' }
const secure = { api: 'https:', socket: 'wss:' }
const schemes: Readonly<Record<string, { api: string; socket: string } | undefined>> = {
  'http:': plain,
  'ws:': plain,
  'https:': secure,
  'wss:': secure,
}
