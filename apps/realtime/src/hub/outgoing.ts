import {
  type Codec,
  decodePublication,
  type Encoded,
  fossilDelta,
  type Payload,
  type Publication,
  type TagFilter,
} from '@portcullis/protocol'

/** One frame for each form of the protocol, made when the first who speaks it is to get it. */
export function frames(encode: (codec: Codec) => Encoded): (codec: Codec) => Buffer {
  const made = new Map<Codec, Buffer>()
  return (codec) => {
    const known = made.get(codec)
    if (known !== undefined) {
      return known
    }
    const frame = codec.frame([encode(codec)])
    made.set(codec, frame)
    return frame
  }
}

/**
 * A publication on its way to subscribers who do not all get the same of it. Whatever is the same for
 * several is worked out once, when the first of them is to get it.
 */
export class Outgoing {
  readonly #channel: string
  readonly #encoded: Buffer
  readonly #offset: number | undefined
  /** As subscribers without deltas get it. */
  readonly frame: (codec: Codec) => Buffer
  readonly #payloads = new Map<Codec, Buffer>()
  readonly #whole: (codec: Codec) => Buffer
  /** By what they are the difference to. */
  readonly #differences = new Map<Buffer, Buffer>()
  readonly #matches = new Map<TagFilter, boolean>()
  #decoded: Publication | undefined

  constructor(channel: string, encoded: Buffer, offset: number | undefined) {
    this.#channel = channel
    this.#encoded = encoded
    this.#offset = offset
    this.frame = frames((codec) => codec.publicationPush(channel, encoded, offset))
    this.#whole = frames((codec) =>
      this.#push(codec, { bytes: this.payload(codec), isDelta: false }),
    )
  }

  matches(filter: TagFilter): boolean {
    const known = this.#matches.get(filter)
    if (known !== undefined) {
      return known
    }
    const matches = filter.matches(this.#publication.tags ?? {})
    this.#matches.set(filter, matches)
    return matches
  }

  /** What the next one may be the difference to. The same object at each call. */
  payload(codec: Codec): Buffer {
    const known = this.#payloads.get(codec)
    if (known !== undefined) {
      return known
    }
    const made = codec.payload(this.#publication)
    // It stays until the next one: not as a slice that keeps the pool it is of.
    const payload = Buffer.allocUnsafeSlow(made.length)
    made.copy(payload)
    this.#payloads.set(codec, payload)
    return payload
  }

  /** As subscribers with deltas get it: what makes it out of `base`, all of it when they have none. */
  difference(codec: Codec, base: Buffer | undefined): Buffer {
    if (base === undefined) {
      return this.#whole(codec)
    }
    const known = this.#differences.get(base)
    if (known !== undefined) {
      return known
    }
    const bytes = fossilDelta(base, this.payload(codec))
    const frame =
      bytes === undefined
        ? this.#whole(codec)
        : codec.frame([this.#push(codec, { bytes, isDelta: true })])
    this.#differences.set(base, frame)
    return frame
  }

  get #publication(): Publication {
    // What comes in was checked; were it none after all, nobody could be harmed by nothing.
    this.#decoded ??= decodePublication(this.#encoded) ?? { data: null }
    return this.#decoded
  }

  #push(codec: Codec, payload: Payload): Encoded {
    return codec.payloadPush(this.#channel, this.#publication, payload, this.#offset)
  }
}
