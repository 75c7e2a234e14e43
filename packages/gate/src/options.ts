import { randomBytes, X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { defined } from '@portcullis/contracts/defined'
import { maxNodeUrlLength } from '@portcullis/contracts/feed'
import { identityNamePattern, nodeNamePattern } from '@portcullis/contracts/names'
import { GateError } from './errors.js'

export interface GateOptions {
  /** The URL of auth: `http://` or `https://`, with or without a path. */
  authUrl: string
  /** This app's own identity, which needs the scopes `introspect` and `feed`. */
  credentials: { identity: string; registrationCode: string }
  /**
   * The node's name in receipts: unique in the installation and stable over restarts. A node of another
   * identity cannot take the name. If two processes use one name, the later one keeps it. Default: the
   * identity, the host's name and random letters, new at each start.
   */
  node?: string
  /** Where the node serves clients; shown to operators. */
  url?: string
  /** Also accepts a token from `?access_token=`, which ends up in logs (RFC 9700 §4.3.2). Default: no. */
  tokenInQuery?: boolean
  /**
   * How long one request to auth may take, in milliseconds, 100 to 60000. Default 3000. An admission
   * that also waits for its batch is refused after twice that time.
   */
  timeoutMs?: number
  /**
   * How long the grant of an HTTP caller is held after its introspection, in milliseconds, 0 to 3600000.
   * Meanwhile further requests with the same token do not ask auth: the gate watches the grant as it
   * watches a socket's, and a revocation ends it. Upgrades always ask auth. Default 60000; 0 asks auth at
   * every request.
   */
  holdCallersMs?: number
  /** TLS to auth. If any field is set, `authUrl` must be `https://`. */
  tls?: GateTls
  /** Receives how long admissions take, for the app's metrics. */
  timings?: GateTimings
}

/** Each is called with milliseconds. */
export interface GateTimings {
  /** How long a token has waited for auth's answer, from the first request that presented it. */
  admission(ms: number): void
  /** How long auth took to answer one request, which may be about many tokens. */
  introspection(ms: number): void
}

/** Each field in PEM. */
export interface GateTls {
  /** Certificates, one of which must have signed auth's. Default: those that Node trusts. */
  ca?: string | undefined
  /** Client certificate for auth, and its private key; both or neither. */
  cert?: string | undefined
  key?: string | undefined
}

/** Validated options, with defaults filled in. */
export interface CheckedOptions {
  authUrl: URL
  feedUrl: URL
  credentials: { identity: string; registrationCode: string }
  node: string
  url: string | undefined
  tokenInQuery: boolean
  timeoutMs: number
  holdCallersMs: number
  /** For Node's TLS clients; undefined for Node's defaults. */
  tls: SecureContextOptions | undefined
}

/** @throws GateError `bad_options`; the message names the option and never shows the registration code */
export function checkOptions(options: GateOptions): CheckedOptions {
  const { credentials, url, tokenInQuery = false } = options
  const { timeoutMs = 3000, holdCallersMs = 60_000 } = options
  const authUrl = URL.canParse(options.authUrl) ? new URL(options.authUrl) : undefined
  if (authUrl === undefined || !/^https?:$/.test(authUrl.protocol)) {
    throw bad('authUrl must be an http:// or https:// URL')
  }
  if (authUrl.username !== '' || authUrl.password !== '' || authUrl.search !== '') {
    throw bad('authUrl must carry no credentials and no query')
  }
  if (!identityNamePattern.test(credentials?.identity ?? '')) {
    throw bad("credentials.identity must be an identity's name")
  }
  if (typeof credentials.registrationCode !== 'string' || credentials.registrationCode === '') {
    throw bad('credentials.registrationCode is required')
  }
  const node = options.node ?? defaultNode(credentials.identity)
  if (!nodeNamePattern.test(node)) {
    throw bad('node must be 1 to 128 letters, digits or . _ : - and start with a letter or digit')
  }
  if (url !== undefined && url.length > maxNodeUrlLength) {
    throw bad(`url must have ${maxNodeUrlLength} characters at most`)
  }
  if (!Number.isInteger(timeoutMs) || timeoutMs < 100 || timeoutMs > 60_000) {
    throw bad('timeoutMs must be a whole number from 100 to 60000')
  }
  if (!Number.isInteger(holdCallersMs) || holdCallersMs < 0 || holdCallersMs > 3_600_000) {
    throw bad('holdCallersMs must be a whole number from 0 to 3600000')
  }
  const tls = checkTls(options.tls, authUrl)
  const feedUrl = new URL(authUrl)
  feedUrl.protocol = authUrl.protocol === 'https:' ? 'wss:' : 'ws:'
  feedUrl.pathname = `${authUrl.pathname.replace(/\/+$/, '')}/v1/feed`
  const times = { timeoutMs, holdCallersMs }
  return { authUrl, feedUrl, credentials, node, url, tokenInQuery, ...times, tls }
}

function checkTls(tls: GateTls = {}, authUrl: URL): SecureContextOptions | undefined {
  const { ca, cert, key } = tls
  if (ca === undefined && cert === undefined && key === undefined) {
    return undefined
  }
  if (authUrl.protocol !== 'https:') {
    throw bad('tls is set, so authUrl must be https://')
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw bad('tls.cert and tls.key go together; set both')
  }
  const context = {
    ...defined({ ca, cert, key }),
  }
  try {
    createSecureContext(context)
    // createSecureContext ignores text in `ca` that is not a certificate.
    if (ca !== undefined) {
      new X509Certificate(ca)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw bad(`tls.ca, tls.cert or tls.key cannot be used (${code ?? 'not PEM'})`)
  }
  return context
}

/** Returns a random name, so that two processes on one host do not take each other's name. */
function defaultNode(identity: string): string {
  const name = `${identity}-${hostname()}`.replace(/[^A-Za-z0-9._:-]/g, '-').slice(0, 119)
  return `${name}-${randomBytes(4).toString('hex')}`
}

function bad(message: string): GateError {
  return new GateError('bad_options', `gate: ${message}`)
}
