import { CliError } from '../errors.js'

const socketPath = '/connection/websocket'

/** The two base URLs of one realtime node. */
export interface RealtimeUrl {
  /** Base of the server API. */
  api: string
  /** URL of the WebSocket. */
  socket: string
}

/**
 * Parses `http://host:port` or `ws://host:port` (also https, wss), with or without a path, and with or
 * without `/connection/websocket` at its end.
 *
 * @throws CliError when `text` is anything else.
 */
export function realtimeUrl(text: string): RealtimeUrl {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined
  const scheme = url === undefined ? undefined : schemes[url.protocol]
  if (url === undefined || scheme === undefined) {
    throw new CliError('usage', `"${text}" is not the URL of a realtime node; use ws://host:port`)
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
