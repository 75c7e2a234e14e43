import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { Type } from '@sinclair/typebox'
import { ConfigError } from './config.js'

const pem = (description: string) => Type.Optional(Type.String({ description }))

/** TLS settings of a service. Each may come from a file (`TLS_CERT_FILE`). */
export const tlsSettings = {
  TLS_CERT: pem(
    "the server's certificate and its intermediates, in PEM; if unset, the server listens without TLS",
  ),
  TLS_KEY: pem("the certificate's private key, in PEM"),
  TLS_CLIENT_CA: pem(
    'CA certificates for client certificates, in PEM; if unset, clients need no certificate',
  ),
}

export interface TlsSettings {
  TLS_CERT?: string
  TLS_KEY?: string
  TLS_CLIENT_CA?: string
}

/** Options for Node's TLS server, and for `setSecureContext` when the certificate is renewed. */
export interface ServerTls extends SecureContextOptions {
  requestCert: boolean
  rejectUnauthorized: boolean
}

/**
 * Returns options for a server that listens with TLS 1.2 or newer, and that requires client certificates
 * if `TLS_CLIENT_CA` is set. Returns undefined when TLS is off.
 *
 * @throws ConfigError when the certificate or the key is missing, or when the two do not match
 */
export function serverTls(settings: TlsSettings): ServerTls | undefined {
  const { TLS_CERT: cert, TLS_KEY: key, TLS_CLIENT_CA: ca } = settings
  if (cert === undefined && key === undefined) {
    if (ca !== undefined) {
      throw new ConfigError(['TLS_CLIENT_CA needs TLS_CERT and TLS_KEY'])
    }
    return undefined
  }
  if (cert === undefined || key === undefined) {
    throw new ConfigError(['TLS_CERT and TLS_KEY go together; set both'])
  }
  const context: SecureContextOptions = {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: 'TLSv1.2',
  }
  requireUsable(context, 'TLS_CERT, TLS_KEY or TLS_CLIENT_CA')
  const asksForCertificate = ca !== undefined
  return { ...context, requestCert: asksForCertificate, rejectUnauthorized: asksForCertificate }
}

/** Throws a clear ConfigError now; Node would report an obscure one at the first connection. */
function requireUsable(context: SecureContextOptions, names: string): void {
  try {
    createSecureContext(context)
    // createSecureContext ignores text in `ca` that is not a certificate.
    if (typeof context.ca === 'string') {
      new X509Certificate(context.ca)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError([`${names} cannot be used (${code ?? 'not PEM'})`])
  }
}
