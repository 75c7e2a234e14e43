import { type Emulation, readEmulation } from '@portcullis/protocol'
import { addressOf } from '@portcullis/service'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config/config.js'
import { FairQueue } from '../../scheduling/fair-queue.js'
import type { SessionCommands, Sessions } from '../../sessions/sessions.js'
import { Refusal } from '../refusals/refusal.js'
import { isBinaryBody, readBody } from './read-body.js'

export const emulationPath = '/emulation'

/** Requests that other nodes handle: in flight, and waiting for one address. */
const relaying = { maxInFlight: 512, maxPerCaller: 64, maxSliceMs: 4 }
const maxWaitingPerAddress = 256

/** The names and escapes of a JSON body around the commands, in bytes. */
const maxEnvelopeBytes = 1024

export interface EmulationRouteOptions {
  config: Pick<Config, 'MAX_FRAME_BYTES'>
  sessions: Sessions
  /** Random id of this process. */
  uid: string
  /** Hands commands to another node. Returns false when it has no such session; rejects without an answer. */
  relay: (node: string, commands: SessionCommands) => Promise<boolean>
}

/**
 * `POST /emulation`: commands of a client that receives over a stream, at whatever node they arrive. The
 * secret session is the request's only credential. The connection checks its token when a command takes
 * effect. Returns its address.
 */
export function emulationRoute(
  app: FastifyInstance,
  { config, sessions, uid, relay }: EmulationRouteOptions,
): string {
  const { MAX_FRAME_BYTES: maxBytes } = config
  const queue = new FairQueue(relaying)
  const isTaken = (emulation: Emulation, address: string): boolean | Promise<boolean> => {
    const { node } = emulation
    if (node === uid) {
      return sessions.receive(emulation)
    }
    if (queue.sizeOf(address) >= maxWaitingPerAddress) {
      throw unavailable('too many commands from this address wait for other nodes')
    }
    return queue
      .run(address, 1, () => relay(node, emulation))
      .catch(() => {
        throw unavailable('the node of this session does not answer')
      })
  }
  app.post(
    emulationPath,
    // Quotes in JSON commands are escaped.
    { bodyLimit: 2 * maxBytes + maxEnvelopeBytes, schema: { hide: true } },
    async (request, reply) => {
      const emulation = readEmulation(readBody(request), isBinaryBody(request))
      if (emulation === undefined) {
        throw new Refusal(400, 'invalid_request', 'the body must have session, node and data')
      }
      if (emulation.data.length > maxBytes) {
        throw new Refusal(413, 'too_large', `data must have ${maxBytes} bytes at most`)
      }
      if (!(await isTaken(emulation, addressOf(request)))) {
        throw new Refusal(404, 'unknown_session', 'no stream has this session; connect again')
      }
      return reply.code(204).send()
    },
  )
  return emulationPath
}

function unavailable(detail: string): Refusal {
  return new Refusal(503, 'unavailable', detail, { 'retry-after': '1' })
}
