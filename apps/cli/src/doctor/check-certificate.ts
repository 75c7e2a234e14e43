import { connect } from 'node:tls'
import { tlsOptions } from '../installation/tls.js'
import { type Check, failed, ok, warning } from './check.js'

const soonDays = 14
const dayMs = 86_400_000
const timeoutMs = 5000

interface Certificate {
  /** When it ends, in Unix milliseconds. */
  validTo: number
  /** Why it is not trusted, in OpenSSL's word. */
  refused: string | undefined
}

/** Whether the certificate of an `https:` URL is trusted here, and for how long; nothing for others. */
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
    return [failed(name, `no TLS connection to ${url.host} (${why})`, 'does it speak TLS there?')]
  }
  const { validTo, refused } = certificate
  const until = new Date(validTo).toISOString().slice(0, 10)
  if (validTo < Date.now()) {
    return [failed(name, `ended on ${until}`, 'renew the certificate')]
  }
  if (refused !== undefined) {
    const advice = `use one for ${url.hostname} of a known authority, or name its authority in PORTCULLIS_CA_FILE`
    return [failed(name, `is not trusted (${refused})`, advice)]
  }
  if (validTo < Date.now() + soonDays * dayMs) {
    return [warning(name, `ends on ${until}`, 'renew the certificate')]
  }
  return [ok(name, `trusted, until ${until}`)]
}

/** Takes any certificate, to say what is wrong with it; nothing is sent. */
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
        refused: authorizationError ? String(authorizationError) : undefined,
      })
      socket.destroy()
    })
    socket.once('timeout', () => socket.destroy(new Error('no answer in time')))
    socket.once('error', reject)
  })
}
