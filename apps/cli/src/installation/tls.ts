import { resolve } from 'node:path'
import { dialWithHeader, type HeaderWebSocketClass } from '@portcullis/client/node'
import { type Static, Type } from '@sinclair/typebox'
import { WebSocket } from 'ws'
import { CliError } from '../errors.js'
import { readText } from '../files/read-text.js'

const File = Type.Optional(Type.String({ minLength: 1 }))

/** PEM files: authorities to trust instead of Node's, client certificate, private key. */
export const TlsFiles = Type.Object(
  { ca: File, cert: File, key: File },
  { additionalProperties: false },
)
export type TlsFiles = Static<typeof TlsFiles>

type Pem = Record<keyof TlsFiles, string | undefined>
let used: Partial<Pem> = {}
let undici: typeof import('undici').default | undefined

/** Loads the library that `useTls` needs. It is half of the command line, so `--help` goes without. */
export async function loadTls(): Promise<void> {
  // In a bundle, a CommonJS package that is imported later has its default export alone.
  undici = (await import('undici')).default
}

/**
 * Makes this process use the files for every later HTTP request and WebSocket. Call `loadTls` before.
 *
 * @throws CliError when a file cannot be read, or the certificate or key is given without the other.
 */
export function useTls({ ca, cert, key }: TlsFiles): void {
  if (ca === undefined && cert === undefined && key === undefined) {
    return
  }
  if (undici === undefined) {
    throw new Error('loadTls must be called before useTls')
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new CliError('usage', 'a client certificate and its private key must be given together')
  }
  const contents = (file: string | undefined) => (file === undefined ? undefined : readText(file))
  used = { ca: contents(ca), cert: contents(cert), key: contents(key) }
  undici.setGlobalDispatcher(new undici.Agent({ connect: used }))
}

/** Returns the options for `tls.connect`. */
export function tlsOptions(): Partial<Pem> {
  return used
}

/** Returns a function that opens sockets to realtime nodes. */
export function dialNode() {
  const options = used
  const Socket: HeaderWebSocketClass = class extends WebSocket {
    constructor(url: string, protocols: string[], given: object) {
      super(url, protocols, { ...options, ...given })
    }
  }
  return dialWithHeader(Socket)
}

/** Makes the file names absolute, so that a profile works in any directory. */
export function absolute(files: TlsFiles, cwd: string): TlsFiles {
  return Object.fromEntries(
    Object.entries(files).map(([name, file]) => [name, file && resolve(cwd, file)]),
  )
}
