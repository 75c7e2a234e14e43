import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { type Commands, readScript } from '../production.js'
import type { SimulatedToken } from './registry.js'

type Argument = string | number | Buffer

/** A call of a script, by its hash or with its text. */
export interface ScriptCall {
  readonly sha?: string
  readonly source?: string
  readonly keys: readonly string[]
  readonly args: readonly Argument[]
  /** The token for which the script was sent. */
  readonly by: SimulatedToken | undefined
}

/** The part of ioredis that production code uses to run scripts. */
export class SimulatedCommands extends EventEmitter {
  readonly isCluster = false
  readonly #send: (call: ScriptCall) => Promise<unknown>
  readonly #by: SimulatedToken | undefined

  constructor(send: (call: ScriptCall) => Promise<unknown>, by?: SimulatedToken) {
    super()
    this.#send = send
    this.#by = by
  }

  /** Returns the same connection, whose scripts count as effects of this token. */
  of(token: SimulatedToken): SimulatedCommands {
    return new SimulatedCommands(this.#send, token)
  }

  eval(source: string, keyCount: number, ...rest: Argument[]): Promise<unknown> {
    return this.#run({ source }, keyCount, rest)
  }

  evalsha(sha: string, keyCount: number, ...rest: Argument[]): Promise<unknown> {
    return this.#run({ sha }, keyCount, rest)
  }

  async #run(
    what: Pick<ScriptCall, 'sha' | 'source'>,
    keyCount: number,
    rest: readonly Argument[],
  ): Promise<unknown> {
    const keys = rest.slice(0, keyCount).map(String)
    const reply = await this.#send({ ...what, keys, args: rest.slice(keyCount), by: this.#by })
    if (reply instanceof Error) {
      throw reply
    }
    return reply
  }
}

/** The simulated connection has the members that production code uses. */
export function asCommands(commands: SimulatedCommands): Commands {
  return commands as unknown as Commands
}

const lua = (path: string): string =>
  readScript(new URL(`../../../../apps/${path}.lua`, import.meta.url))

/** The text of each script that the simulated stores know. */
const texts = {
  time: "return redis.call('TIME')",
  'publish-now': lua('realtime/dist/broker/streams/publish-now'),
  introspect: lua('auth/dist/registry/tokens/introspect'),
  'issue-token': lua('auth/dist/registry/tokens/issue'),
  'register-identity': lua('auth/dist/registry/identities/create'),
} as const

/** Returns true if the call reads Redis' clock. */
export function isTime({ source }: ScriptCall): boolean {
  return source === texts.time
}

export type ScriptName = keyof typeof texts

interface Known {
  readonly name: ScriptName
  /** True if its last argument is a deadline, in Unix milliseconds of the store's clock. */
  readonly bounded: boolean
}

/** Returns true if a store whose clock shows `nowMs` refuses a script with this deadline. */
export type IsTooLate = (deadlineMs: number, nowMs: number) => boolean

export interface ScriptsOptions {
  isTooLate: IsTooLate
  /** Called when a script has written for a token. */
  onEffect: (what: ScriptName, by: SimulatedToken) => void
  onTooLate: () => void
}

/** Runs the scripts of one Redis, which `packages/redis/src/script.ts` sends. */
export class Scripts {
  readonly #options: ScriptsOptions
  readonly #known = new Map<string, Known>()

  constructor(options: ScriptsOptions) {
    this.#options = options
  }

  /** Forgets every script, as a restart of Redis does. */
  forget(): void {
    this.#known.clear()
  }

  /** Returns the script's reply, or the error with which Redis refuses it. */
  evaluate(
    call: ScriptCall,
    nowUs: number,
    execute: (name: ScriptName, args: readonly string[]) => unknown,
  ): unknown {
    const known = this.#find(call)
    if (known === undefined) {
      return replyError('NOSCRIPT no matching script')
    }
    const args = call.args.map(String)
    if (known.bounded && this.#options.isTooLate(Number(args.pop()), Math.floor(nowUs / 1000))) {
      this.#options.onTooLate()
      return replyError('TOOLATE the deadline has passed')
    }
    if (known.name === 'time') {
      return [String(Math.floor(nowUs / 1e6)), String(Math.floor(nowUs % 1e6))]
    }
    const reply = execute(known.name, args)
    if (call.by !== undefined && hasWritten(reply)) {
      this.#options.onEffect(known.name, call.by)
    }
    return reply
  }

  #find({ sha = '', source }: ScriptCall): Known | undefined {
    if (source === undefined) {
      return this.#known.get(sha)
    }
    const hash = createHash('sha1').update(source).digest('hex')
    const known = this.#known.get(hash) ?? parse(source)
    this.#known.set(hash, known)
    return known
  }
}

/** Returns false for replies that explain why the script wrote nothing. */
function hasWritten(reply: unknown): boolean {
  return typeof reply !== 'string' && !(Array.isArray(reply) && reply[0] === 'other_times')
}

function parse(source: string): Known {
  const name = scriptNames.find((candidate) => source.endsWith(texts[candidate]))
  if (name === undefined) {
    throw new Error(`the simulated Redis does not know this script: ${source}`)
  }
  return { name, bounded: source.includes('TOOLATE') }
}

const scriptNames = Object.keys(texts).filter((name): name is ScriptName => name in texts)

function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' })
}
