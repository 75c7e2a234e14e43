const offsetBasis = 0x811c9dc5
const prime = 0x01000193
const utf8 = new TextEncoder()

/**
 * Returns the 32-bit FNV-1a hash of a text's UTF-8 bytes. Redis keys contain partition numbers made
 * from it, so its results must never change.
 */
export function fnv1a(text: string): number {
  let hash = offsetBasis
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    // ASCII, as almost every name is, needs no encoding.
    if (code > 0x7f) {
      return hashBytes(utf8.encode(text))
    }
    hash = Math.imul(hash ^ code, prime)
  }
  return hash >>> 0
}

function hashBytes(bytes: Uint8Array): number {
  let hash = offsetBasis
  for (const byte of bytes) {
    hash = Math.imul(hash ^ byte, prime)
  }
  return hash >>> 0
}
