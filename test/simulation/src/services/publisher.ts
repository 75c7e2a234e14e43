import {
  BulkReads,
  brokerKeys,
  type Grant,
  type NodeBroker,
  type Permit,
  Streams,
  type Tokens,
  Writes,
} from '../production.js'
import { asCommands } from '../registry/commands.js'
import type { SimulatedToken } from '../registry/registry.js'
import type { RegistryConnection } from '../registry/registry-connection.js'

const keys = brokerKeys('simulation', 1)

interface PublisherOptions {
  redis: RegistryConnection
  tokens: Pick<Tokens, 'permit'>
  tokenOf: (jti: string) => SimulatedToken
  /** Called when a command takes effect. */
  onAct: (token: SimulatedToken) => void
  /** Confirms a subscription after a while. */
  join: () => Promise<void>
}

/**
 * A node's broker: publishes with production code, and marks each script with the token that it acts for,
 * so that Redis can report effects by token. Channels have no history and no presence, since revocation
 * does not depend on either.
 */
export class Publisher implements NodeBroker {
  readonly streams: NodeBroker['streams']
  readonly presence: NodeBroker['presence']
  readonly channels: NodeBroker['channels']
  readonly reads: BulkReads
  readonly #options: PublisherOptions
  readonly #writes: Writes
  readonly #tokens = new WeakMap<Permit, SimulatedToken>()

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#writes = new Writes(asCommands(options.redis.scripts))
    const absent = () => Promise.reject(new Error('simulated channels have no history or presence'))
    this.streams = {
      publish: (channel, encoded, permit) => this.#publish(channel, encoded, permit),
      history: absent,
      positions: absent,
      disown: absent,
    }
    this.presence = { enter: absent, leave: absent, present: absent, stats: absent }
    this.channels = {
      join: options.join,
      leave: () => undefined,
      announceJoin: absent,
      announceLeave: absent,
      names: absent,
    }
    this.reads = new BulkReads({ broker: this, maxPublications: 1, maxBytes: 1 })
  }

  /** Returns the gate's permit for a grant, which also reports when a command takes effect. */
  permit(grant: Grant): Permit {
    const { tokens, tokenOf, onAct } = this.#options
    const token = tokenOf(grant.jti)
    const gatePermit = tokens.permit(grant)
    const permit: Permit = (send, isOver) =>
      gatePermit((until) => {
        onAct(token)
        return send(until)
      }, isOver)
    this.#tokens.set(permit, token)
    return permit
  }

  #publish(channel: string, encoded: Buffer, permit: Permit): ReturnType<Streams['publish']> {
    const token = this.#tokens.get(permit)
    if (token === undefined) {
      throw new Error('not a permit of this node')
    }
    const commands = asCommands(this.#options.redis.scripts.of(token))
    const streams = new Streams({ commands, bulk: commands, keys, writes: this.#writes })
    return streams.publish(channel, encoded, permit)
  }
}
