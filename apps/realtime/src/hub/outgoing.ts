import {
  type Codec,
  decodePublication,
  type Encoded,
  fossilDelta,
  JsonText,
  type Payload,
  type Publication,
  type TagFilter,
} from '@portcullis/protocol'

/** Returns a function that makes one frame for each codec, on its first use. */
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
 * A publication for subscribers with different options. Computes whatever several of them share
 * once, on its first use.
 */
export class Outgoing {
  readonly #channel: string
  readonly #encoded: Buffer
  readonly #offset: number | undefined
  /** Frame for subscribers without deltas. */
  readonly frame: (codec: Codec) => Buffer
  readonly #payloads = new Map<Codec, Buffer>()
  readonly #whole: (codec: Codec) => Buffer
  /** Delta frames by base payload. */
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

  /** Returns the payload that the next delta is based on; the same object at each call. */
  payload(codec: Codec): Buffer {
    const known = this.#payloads.get(codec)
    if (known !== undefined) {
      return known
    }
    const made = codec.payload(this.#publication)
    // Kept until the next publication: a slice of a pooled buffer would keep the whole pool.
    const payload = Buffer.allocUnsafeSlow(made.length)
    made.copy(payload)
    this.#payloads.set(codec, payload)
    return payload
  }

  /**
   * Returns the frame for a subscriber with deltas that has `base`; the whole payload without one.
   */
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
    // Already validated; fall back to null data.
    this.#decoded ??= decodePublication(this.#encoded) ?? { data: JsonText.of(null) }
    return this.#decoded
  }

  #push(codec: Codec, payload: Payload): Encoded {
    return codec.payloadPush(this.#channel, this.#publication, payload, this.#offset)
  }
}
