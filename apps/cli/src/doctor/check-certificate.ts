import { connect } from 'node:tls'
import { tlsOptions } from '../installation/tls.js'
import { type Check, failed, ok, warning } from './check.js'

const warningDays = 14
const dayMs = 86_400_000
const timeoutMs = 5000

interface Certificate {
  /** Expiry in Unix milliseconds. */
  validTo: number
  /** Why the certificate is not trusted: an error code of Node or OpenSSL. */
  distrust: string | undefined
}

/** Checks trust and expiry of the certificate of an `https:` URL; returns no checks for `http:`. */
export async function checkCertificate(name: string, base: string): Promise<Check[]> {
  const url = new URL(base)
  if (url.protocol !== 'https:') {
    return []
  }
  let certificate: Certificate
  try {
    certificate = await certificateOf(url)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return [
      failed(
        name,
        `no TLS connection to ${url.host} (${why})`,
        'check that the service speaks TLS on this port',
      ),
    ]
  }
  const { validTo, distrust } = certificate
  const until = new Date(validTo).toISOString().slice(0, 10)
  if (validTo < Date.now()) {
    return [failed(name, `expired on ${until}`, 'renew the certificate')]
  }
  if (distrust !== undefined) {
    const advice = `use a certificate for ${url.hostname} from a trusted authority, or set PORTCULLIS_CA_FILE`
    return [failed(name, `is not trusted (${distrust})`, advice)]
  }
  if (validTo < Date.now() + warningDays * dayMs) {
    return [warning(name, `expires on ${until}`, 'renew the certificate')]
  }
  return [ok(name, `trusted, expires on ${until}`)]
}

/** Reads the certificate, also when it is not trusted. No data is sent over this connection. */
function certificateOf({ hostname, port }: URL): Promise<Certificate> {
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port || 443),
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      rejectUnauthorized: false,
      timeout: timeoutMs,
      ...tlsOptions(),
    })
    socket.once('secureConnect', () => {
      const { authorizationError } = socket
      resolve({
        validTo: Date.parse(socket.getPeerCertificate().valid_to),
        distrust: authorizationError ? String(authorizationError) : undefined,
      })
      socket.destroy()
    })
    socket.once('timeout', () => socket.destroy(new Error('timeout')))
    socket.once('error', reject)
  })
}
