import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { Type } from '@sinclair/typebox'
import { ConfigError } from './config.js'

const pem = (description: string) => Type.Optional(Type.String({ description }))

/** Settings of a service that can listen with TLS; each may come from a file (`TLS_CERT_FILE`). */
export const tlsSettings = {
  TLS_CERT: pem(
    'certificate to listen with TLS with, and its intermediates, in PEM; without it TLS is off',
  ),
  TLS_KEY: pem("that certificate's private key, in PEM"),
  TLS_CLIENT_CA: pem(
    'certificates, in PEM, one of which must have signed the certificate that a client shows; without it clients are asked for none',
  ),
}

export interface TlsSettings {
  TLS_CERT?: string
  TLS_KEY?: string
  TLS_CLIENT_CA?: string
}

/** What of Node's options for a TLS server we set; `setSecureContext` takes them again, renewed. */
export interface ServerTls extends SecureContextOptions {
  requestCert: boolean
  rejectUnauthorized: boolean
}

/**
 * Options for a server that listens with TLS 1.2 or newer; with `TLS_CLIENT_CA` nobody gets through the
 * handshake without a certificate of theirs. Undefined when TLS is off.
 *
 * @throws ConfigError when one of certificate and key is missing, or they do not belong together
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

/** Node would find out as the first client comes, or as the server starts, and say it less clearly. */
function requireUsable(context: SecureContextOptions, names: string): void {
  try {
    createSecureContext(context)
    // What is no certificate among `ca` it passes over.
    if (typeof context.ca === 'string') {
      new X509Certificate(context.ca)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError([`${names} cannot be used (${code ?? 'not PEM'})`])
  }
}
