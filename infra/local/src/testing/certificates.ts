import { defined } from '@portcullis/contracts/defined'
import { generate } from 'selfsigned'

/** A certificate and its private key, in PEM. */
export interface Certificate {
  cert: string
  key: string
}

/** A certificate authority for a test. */
export interface Authority extends Certificate {
  /** Signs a certificate for a server at 127.0.0.1 and localhost, or for a client with this name. */
  sign(use: 'server' | 'client', name: string): Promise<Certificate>
}

const common = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const

/** Creates a certificate authority. Clients trust it only if they are given its certificate. */
export async function makeAuthority(name: string): Promise<Authority> {
  const ca = await certificate(name, [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ])
  return {
    ...ca,
    sign: (use, subject) =>
      certificate(
        subject,
        [
          { name: 'basicConstraints', cA: false, critical: true },
          { name: 'keyUsage', digitalSignature: true, critical: true },
          { name: 'extKeyUsage', serverAuth: use === 'server', clientAuth: use === 'client' },
          {
            name: 'subjectAltName',
            altNames:
              use === 'server'
                ? [
                    { type: 2, value: 'localhost' },
                    { type: 7, ip: '127.0.0.1' },
                  ]
                : [{ type: 2, value: subject }],
          },
        ],
        ca,
      ),
  }
}

type Options = NonNullable<Parameters<typeof generate>[1]>

async function certificate(
  name: string,
  extensions: NonNullable<Options['extensions']>,
  ca?: Certificate,
): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    ...common,
    extensions,
    ...defined({ ca }),
  })
  return { cert: made.cert, key: made.private }
}
