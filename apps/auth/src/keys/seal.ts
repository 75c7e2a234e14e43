import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import { KeySetError } from './errors.js'

const Base64Url = Type.String({ pattern: '^[A-Za-z0-9_-]+$' })

/**
 * A text encrypted with AES-256-GCM. The key is derived from the secret and this salt by scrypt.
 * All values are base64url.
 */
export const Sealed = Type.Object({
  salt: Base64Url,
  iv: Base64Url,
  tag: Base64Url,
  data: Base64Url,
})
export type Sealed = Static<typeof Sealed>

/**
 * Encrypts a private key.
 *
 * @param kid - additional authenticated data: the result does not decrypt under another `kid`
 */
export async function seal(secret: string, kid: string, text: string): Promise<Sealed> {
  const salt = randomBytes(16)
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', await derive(secret, salt), iv)
  cipher.setAAD(Buffer.from(kid))
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return {
    salt: salt.toString('base64url'),
    iv: iv.toString('base64url'),
    tag: cipher.getAuthTag().toString('base64url'),
    data: data.toString('base64url'),
  }
}

/** @throws KeySetError `secret_wrong`, also when the stored value was changed */
export async function unseal(secret: string, kid: string, sealed: Sealed): Promise<string> {
  const bytes = (text: string) => Buffer.from(text, 'base64url')
  const key = await derive(secret, bytes(sealed.salt))
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes(sealed.iv), { authTagLength: 16 })
    decipher.setAAD(Buffer.from(kid))
    decipher.setAuthTag(bytes(sealed.tag))
    return decipher.update(bytes(sealed.data), undefined, 'utf8') + decipher.final('utf8')
  } catch (cause) {
    throw new KeySetError(
      'secret_wrong',
      'KEY_ENCRYPTION_SECRET does not decrypt the stored signing key; set the secret that the key was stored with, or set that secret as KEY_ENCRYPTION_SECRET_PREVIOUS',
      { cause },
    )
  }
}

function derive(secret: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // 16 MiB and about 40 ms for each key: the secret may be a passphrase.
    scrypt(secret, salt, 32, { N: 2 ** 14, r: 8, p: 1 }, (error, key) => {
      if (error === null) {
        resolve(key)
      } else {
        reject(error)
      }
    })
  })
}
