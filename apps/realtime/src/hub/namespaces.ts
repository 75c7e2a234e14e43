import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { readJson } from '../config/read-json.js'

/** What holds for every channel of a namespace. Each option is off unless it is switched on. */
const NamespaceOptions = Type.Object(
  {
    /** How many publications are kept; 0: none. */
    historySize: Type.Integer({ minimum: 0, maximum: 10_000, default: 0 }),
    /** For how long after the last one. */
    historyTtlSeconds: Type.Integer({ minimum: 1, maximum: 31_536_000, default: 300 }),
    /** Subscribers that come back get what they missed, as far as history has it. */
    recovery: Type.Boolean({ default: false }),
    /** Who is subscribed can be asked. */
    presence: Type.Boolean({ default: false }),
    /** Subscribers may ask to be told who comes and goes. */
    joinLeave: Type.Boolean({ default: false }),
    /** Subscribers may ask for each publication as its difference to the one before. */
    delta: Type.Boolean({ default: false }),
    /** Subscribers may ask for some publications alone, by their tags. */
    tagsFilter: Type.Boolean({ default: false }),
    /** Clients may publish, as far as their tokens permit; the server API may in any case. */
    clientPublish: Type.Boolean({ default: true }),
  },
  { additionalProperties: false },
)
export type ChannelOptions = Static<typeof NamespaceOptions>

/** The empty name is for channels without a namespace. */
const Name = '^[A-Za-z0-9_-]{0,64}$'
const Configuration = Type.Record(
  Type.String({ pattern: Name }),
  Type.Partial(NamespaceOptions, { additionalProperties: false }),
  { additionalProperties: false },
)

/** What comes before a channel's first colon is its namespace: `chat` of `chat:room1`. */
const separator = ':'

/** The options of every channel, by its namespace. */
export class Namespaces {
  readonly #byName: ReadonlyMap<string, ChannelOptions>
  readonly #others = Value.Create(NamespaceOptions)

  constructor(byName: ReadonlyMap<string, ChannelOptions>) {
    this.#byName = byName
  }

  /** In a namespace that is not configured every option is off. */
  of(channel: string): ChannelOptions {
    const name = channel.slice(0, Math.max(0, channel.indexOf(separator)))
    return this.#byName.get(name) ?? this.#others
  }
}

/**
 * Reads namespaces as they are configured: a JSON object, options by name.
 *
 * @returns what is wrong with it, when something is
 */
export function readNamespaces(json: string): Namespaces | string {
  const value = readJson(Configuration, json)
  if (typeof value === 'string') {
    return value
  }
  const byName = new Map<string, ChannelOptions>()
  for (const [name, given] of Object.entries(value)) {
    const options: ChannelOptions = { ...Value.Create(NamespaceOptions), ...given }
    if (options.recovery && options.historySize === 0) {
      return `${name}: recovery needs a historySize of 1 or more`
    }
    if (options.joinLeave && !options.presence) {
      return `${name}: joinLeave needs presence`
    }
    byName.set(name, options)
  }
  return new Namespaces(byName)
}
