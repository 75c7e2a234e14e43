import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { dialWithHeader, type HeaderWebSocketClass } from '@portcullis/client/node'
import { type Static, Type } from '@sinclair/typebox'
import { Agent, setGlobalDispatcher } from 'undici'
import { WebSocket } from 'ws'
import { CliError } from '../errors.js'
import { systemCode } from '../files/system-code.js'

const File = Type.Optional(Type.String({ minLength: 1 }))

/** Names of PEM files: whom to trust in place of those that Node trusts, and what to show. */
export const TlsFiles = Type.Object(
  { ca: File, cert: File, key: File },
  { additionalProperties: false },
)
export type TlsFiles = Static<typeof TlsFiles>

type Pem = Record<keyof TlsFiles, string | undefined>
let used: Partial<Pem> = {}

/**
 * From here on this process speaks TLS with these, over HTTP and WebSockets.
 *
 * @throws CliError when a file cannot be read, or one of certificate and key is missing.
 */
export function useTls({ ca, cert, key }: TlsFiles): void {
  if (ca === undefined && cert === undefined && key === undefined) {
    return
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new CliError('usage', 'a certificate to show needs its key, and a key its certificate')
  }
  used = { ca: contents(ca), cert: contents(cert), key: contents(key) }
  setGlobalDispatcher(new Agent({ connect: used }))
}

/** What to give to `tls.connect`. */
export function tlsOptions(): Partial<Pem> {
  return used
}

/** Opens sockets to realtime nodes. */
export function dialNode() {
  const options = used
  const Socket: HeaderWebSocketClass = class extends WebSocket {
    constructor(url: string, protocols: string[], given: object) {
      super(url, protocols, { ...options, ...given })
    }
  }
  return dialWithHeader(Socket)
}

/** The files as they are named, wherever the command is run later. */
export function absolute(files: TlsFiles, cwd: string): TlsFiles {
  return Object.fromEntries(
    Object.entries(files).map(([name, file]) => [name, file && resolve(cwd, file)]),
  )
}

function contents(file: string | undefined): string | undefined {
  if (file === undefined) {
    return undefined
  }
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError('failed', `${file} cannot be read (${systemCode(error)})`)
  }
}
