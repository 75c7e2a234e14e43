import { isUtf8 } from 'node:buffer'

/** Bytes of the shortest piece that is copied: three 32-bit words. The copy instruction takes about half. */
const window = 12
/** Only pieces of the base that begin at a multiple of this are indexed. */
const step = 4
/** Candidates tried per target position; bounds the worst-case cost. */
const maxCandidates = 8
/** A piece of this length is taken without trying further candidates. */
const longEnough = 256
const multiplier = 0x9e3779b1

/**
 * Returns the delta that makes `target` from `base`, in Fossil's format: it copies common pieces and
 * inserts the rest. Returns undefined when the delta is not shorter than `target`.
 *
 * The delta of a UTF-8 target splits no character, so it is UTF-8 too: subscribers of the JSON form get
 * it as a string.
 */
export function fossilDelta(base: Buffer, target: Buffer): Buffer | undefined {
  const places = new Places(base)
  const isText = isUtf8(target)
  const delta = new Delta(target)
  let at = 0
  while (at + window <= target.length && delta.bytes + at - delta.end < target.length) {
    const piece = longestPiece(places, target, at, delta.end)
    if (piece !== undefined && isText) {
      trim(piece, target)
    }
    if (piece === undefined || piece.length < window) {
      at += 1
    } else {
      delta.copy(piece)
      at = delta.end
    }
  }
  return delta.finish()
}

/** Equal bytes: `length` of them at `at` in the target and at `from` in the base. */
interface Piece {
  at: number
  from: number
  length: number
}

/** An index of the base, by the hash of the `window` bytes at each place. Places are counted in steps. */
class Places {
  readonly base: Buffer
  readonly #shift: number
  /** The last place with each hash, and the previous place with the same hash; -1 for none. */
  readonly #last: Int32Array
  readonly #previous: Int32Array

  constructor(base: Buffer) {
    const bits = Math.max(4, 32 - Math.clz32(base.length / step))
    this.base = base
    this.#shift = 32 - bits
    this.#last = new Int32Array(2 ** bits).fill(-1)
    this.#previous = new Int32Array(Math.ceil(base.length / step))
    for (let place = 0; place * step + window <= base.length; place += 1) {
      const hash = this.#hash(base, place * step)
      this.#previous[place] = this.#last[hash] ?? -1
      this.#last[hash] = place
    }
  }

  /** Returns the last place with the hash of the target's bytes at `at`; -1 for none. */
  like(target: Buffer, at: number): number {
    return this.#last[this.#hash(target, at)] ?? -1
  }

  previous(place: number): number {
    return this.#previous[place] ?? -1
  }

  #hash(bytes: Buffer, at: number): number {
    let hash = Math.imul(bytes.readInt32LE(at), multiplier)
    hash = Math.imul(hash ^ (hash >>> 15) ^ bytes.readInt32LE(at + 4), multiplier)
    hash = Math.imul(hash ^ (hash >>> 15) ^ bytes.readInt32LE(at + 8), multiplier)
    return hash >>> this.#shift
  }
}

/** Returns the longest piece around `at` that begins at `start` or later and is also in the base. */
function longestPiece(
  places: Places,
  target: Buffer,
  at: number,
  start: number,
): Piece | undefined {
  const { base } = places
  let best: Piece | undefined
  let place = places.like(target, at)
  for (let left = maxCandidates; left > 0 && place >= 0; left -= 1) {
    const from = place * step
    let after = 0
    const maxAfter = Math.min(base.length - from, target.length - at)
    while (after < maxAfter && base[from + after] === target[at + after]) {
      after += 1
    }
    let before = 0
    const maxBefore = Math.min(from, at - start)
    while (before < maxBefore && base[from - before - 1] === target[at - before - 1]) {
      before += 1
    }
    const length = before + after
    if (length > (best?.length ?? 0)) {
      best = { at: at - before, from: from - before, length }
    }
    if (length >= longEnough) {
      break
    }
    place = places.previous(place)
  }
  return best
}

/** Removes partial characters from both ends of a piece. */
function trim(piece: Piece, target: Buffer): void {
  while (piece.length > 0 && isWithinCharacter(target[piece.at])) {
    piece.at += 1
    piece.from += 1
    piece.length -= 1
  }
  while (piece.length > 0 && isWithinCharacter(target[piece.at + piece.length])) {
    piece.length -= 1
  }
}

/** Returns true for a byte that continues a UTF-8 character (RFC 3629 §3). */
function isWithinCharacter(byte = 0): boolean {
  return (byte & 0xc0) === 0x80
}

/** Writes a delta: `<length>\n`, then `<length>@<from>,` to copy or `<length>:<bytes>` to insert, then `<checksum>;`. */
class Delta {
  readonly #target: Buffer
  readonly #parts: Buffer[] = []
  #bytes = 0
  /** The length of the target that the delta makes so far. */
  end = 0

  constructor(target: Buffer) {
    this.#target = target
    this.#add(`${digits(target.length)}\n`)
  }

  get bytes(): number {
    return this.#bytes
  }

  copy({ at, from, length }: Piece): void {
    this.#insertUpTo(at)
    this.#add(`${digits(length)}@${digits(from)},`)
    this.end = at + length
  }

  /** Returns the delta; undefined when it is not shorter than the target. */
  finish(): Buffer | undefined {
    this.#insertUpTo(this.#target.length)
    this.#add(`${digits(checksum(this.#target))};`)
    return this.#bytes < this.#target.length ? Buffer.concat(this.#parts, this.#bytes) : undefined
  }

  #insertUpTo(end: number): void {
    if (end === this.end) {
      return
    }
    this.#add(`${digits(end - this.end)}:`)
    this.#add(this.#target.subarray(this.end, end))
    this.end = end
  }

  #add(part: string | Buffer): void {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part
    this.#parts.push(bytes)
    this.#bytes += bytes.length
  }
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~'

/** Returns a number in base 64, highest digit first. */
function digits(value: number): string {
  const low = alphabet.charAt(value & 63)
  return value < 64 ? low : digits(value >>> 6) + low
}

/** Returns the sum of all big-endian 32-bit words; the last one is padded with zeros. */
function checksum(bytes: Buffer): number {
  let sum = 0
  const whole = bytes.length & ~3
  for (let at = 0; at < whole; at += 4) {
    sum = (sum + bytes.readInt32BE(at)) | 0
  }
  for (let at = whole; at < bytes.length; at += 1) {
    sum = (sum + ((bytes[at] ?? 0) << (24 - 8 * (at - whole)))) | 0
  }
  return sum >>> 0
}
