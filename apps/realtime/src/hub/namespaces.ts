import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { readJson } from '../config/read-json.js'

/** Options of the channels of a namespace. All are off by default, except `clientPublish`. */
const NamespaceOptions = Type.Object(
  {
    /** Publications to keep; 0: no history. */
    historySize: Type.Integer({ minimum: 0, maximum: 10_000, default: 0 }),
    /** Lifetime of the history after the last publication. */
    historyTtlSeconds: Type.Integer({ minimum: 1, maximum: 31_536_000, default: 300 }),
    /** Subscribers that reconnect receive missed publications, as far as history has them. */
    recovery: Type.Boolean({ default: false }),
    /** Clients may query the present subscribers. */
    presence: Type.Boolean({ default: false }),
    /** Subscribers may request joins and leaves. */
    joinLeave: Type.Boolean({ default: false }),
    /** Subscribers whose tokens permit presence get joins and leaves without a request. */
    forcePushJoinLeave: Type.Boolean({ default: false }),
    /** Subscribers may request each publication as the difference to the previous one. */
    delta: Type.Boolean({ default: false }),
    /** Subscribers may filter publications by their tags. */
    tagsFilter: Type.Boolean({ default: false }),
    /** Clients may publish if their tokens permit it; the server API always may. */
    clientPublish: Type.Boolean({ default: true }),
  },
  { additionalProperties: false },
)
export interface ChannelOptions extends Static<typeof NamespaceOptions> {
  /** True for a channel that nothing may use: its namespace is not configured, and must be. */
  readonly isUnknown: boolean
}

/** Returns true when a publication goes into the channel's history, which a version needs. */
export function isKept(
  { historySize }: Pick<ChannelOptions, 'historySize'>,
  skipHistory = false,
): boolean {
  return historySize > 0 && !skipHistory
}

/** The empty name stands for channels without a namespace. */
const Name = '^[A-Za-z0-9_-]{0,64}$'
const Configuration = Type.Record(
  Type.String({ pattern: Name }),
  Type.Partial(NamespaceOptions, { additionalProperties: false }),
  { additionalProperties: false },
)

/** A channel's namespace is the part before its first colon: `chat` of `chat:room1`. */
const separator = ':'

/** The options of every channel, by its namespace. */
export class Namespaces {
  readonly #byName: ReadonlyMap<string, ChannelOptions>
  readonly #others: ChannelOptions
  /** Options of channels without a namespace. */
  readonly #none: ChannelOptions = { ...Value.Create(NamespaceOptions), isUnknown: false }

  /** @param isStrict - channels of other namespaces are unknown */
  constructor(byName: ReadonlyMap<string, ChannelOptions>, isStrict = false) {
    this.#byName = byName
    this.#others = { ...this.#none, isUnknown: isStrict }
  }

  /** Returns a channel's options; the defaults when its namespace is not configured. */
  of(channel: string): ChannelOptions {
    const name = channel.slice(0, Math.max(0, channel.indexOf(separator)))
    return this.#byName.get(name) ?? (name === '' ? this.#none : this.#others)
  }
}

/**
 * Reads the configuration: a JSON object of options by namespace. Returns a string that names an
 * error.
 *
 * @param isStrict - channels of other namespaces are unknown
 */
export function readNamespaces(json: string, isStrict = false): Namespaces | string {
  const value = readJson(Configuration, json)
  if (typeof value === 'string') {
    return value
  }
  const byName = new Map<string, ChannelOptions>()
  for (const [name, given] of Object.entries(value)) {
    const options = { ...Value.Create(NamespaceOptions), ...given, isUnknown: false }
    if (options.recovery && options.historySize === 0) {
      return `${name}: recovery needs a historySize of 1 or more`
    }
    if (options.joinLeave && !options.presence) {
      return `${name}: joinLeave needs presence`
    }
    if (options.forcePushJoinLeave && !options.joinLeave) {
      return `${name}: forcePushJoinLeave needs joinLeave`
    }
    byName.set(name, options)
  }
  return new Namespaces(byName, isStrict)
}
