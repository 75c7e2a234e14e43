import { isUtf8 } from 'node:buffer'

/** The shortest piece that is copied rather than sent: three 32-bit words. The copy takes about half of that. */
const window = 12
/** Pieces of the base are found that begin at a multiple of this. */
const step = 4
/** So many places in the base are looked at for one in the target: no content can be made to cost much. */
const mostPlaces = 8
/** A piece of this length is taken without looking for a longer one. */
const longEnough = 256
const multiplier = 0x9e3779b1

/**
 * How to make `target` out of `base`, in Fossil's delta format: what they have in common is copied, the
 * rest inserted. Undefined when that is no shorter than `target` itself.
 *
 * In a target that is UTF-8 no character is cut in two, so that the delta is UTF-8 as well: subscribers
 * of the JSON form get it as a string.
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

/** `length` bytes that are at `at` in the target and at `from` in the base. */
interface Piece {
  at: number
  from: number
  length: number
}

/** Finds where the base has something that looks like the target. */
class Places {
  readonly base: Buffer
  readonly #shift: number
  /** The last place under each hash, and the one before each place; counted in steps, -1 for none. */
  readonly #last: Int32Array
  readonly #before: Int32Array

  constructor(base: Buffer) {
    const bits = Math.max(4, 32 - Math.clz32(base.length / step))
    this.base = base
    this.#shift = 32 - bits
    this.#last = new Int32Array(2 ** bits).fill(-1)
    this.#before = new Int32Array(Math.ceil(base.length / step))
    for (let place = 0; place * step + window <= base.length; place += 1) {
      const hash = this.#hash(base, place * step)
      this.#before[place] = this.#last[hash] ?? -1
      this.#last[hash] = place
    }
  }

  /** The last place like the target's; -1 when there is none. */
  like(target: Buffer, at: number): number {
    return this.#last[this.#hash(target, at)] ?? -1
  }

  before(place: number): number {
    return this.#before[place] ?? -1
  }

  #hash(bytes: Buffer, at: number): number {
    let hash = Math.imul(bytes.readInt32LE(at), multiplier)
    hash = Math.imul(hash ^ (hash >>> 15) ^ bytes.readInt32LE(at + 4), multiplier)
    hash = Math.imul(hash ^ (hash >>> 15) ^ bytes.readInt32LE(at + 8), multiplier)
    return hash >>> this.#shift
  }
}

/** The longest piece around `at` that the base has too, and that begins at `start` or later. */
function longestPiece(
  places: Places,
  target: Buffer,
  at: number,
  start: number,
): Piece | undefined {
  const { base } = places
  let best: Piece | undefined
  let place = places.like(target, at)
  for (let left = mostPlaces; left > 0 && place >= 0; left -= 1) {
    const from = place * step
    let after = 0
    const mostAfter = Math.min(base.length - from, target.length - at)
    while (after < mostAfter && base[from + after] === target[at + after]) {
      after += 1
    }
    let before = 0
    const mostBefore = Math.min(from, at - start)
    while (before < mostBefore && base[from - before - 1] === target[at - before - 1]) {
      before += 1
    }
    const length = before + after
    if (length > (best?.length ?? 0)) {
      best = { at: at - before, from: from - before, length }
    }
    if (length >= longEnough) {
      break
    }
    place = places.before(place)
  }
  return best
}

/** Leaves out what is less than a character at both ends. */
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

/** Whether a byte of UTF-8 goes on with a character (RFC 3629 §3). */
function isWithinCharacter(byte = 0): boolean {
  return (byte & 0xc0) === 0x80
}

/** A delta being written: `<length>\n`, `<length>@<from>,` to copy, `<length>:<bytes>` to insert, `<checksum>;`. */
class Delta {
  readonly #target: Buffer
  readonly #parts: Buffer[] = []
  #bytes = 0
  /** How much of the target it makes up to now. */
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

  /** The whole delta; undefined when it is not worth it. */
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

/** A number as the format has it: to the base of 64, the highest digit first. */
function digits(value: number): string {
  const low = alphabet.charAt(value & 63)
  return value < 64 ? low : digits(value >>> 6) + low
}

/** The sum of all 32-bit words, big endian, the last one filled up with zeros. */
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
