import type { Recorder } from './recorder.js'
import type { Revocation } from './revocation.js'

/**
 * What the lease does not count: the machine's pauses, and the HTTP exchanges by which the test
 * learns of the completion. In milliseconds.
 */
const slackMs = 1000

/** What of a client's record is judged. */
export type Witness = Pick<Recorder, 'name' | 'messages' | 'heard' | 'said' | 'end'>

export interface Case {
  clients: readonly Witness[]
  revocations: readonly (Pick<Revocation, 'answeringSince' | 'completeAt'> & {
    covers: readonly Witness[]
  })[]
  /** LEASE_MS of the installation. */
  leaseMs: number
}

/**
 * Holds the records of the clients against the receipts. Gives every breach of the promise, in
 * words:
 *
 * 1. After a complete receipt was seen, no message reaches a client on a covered token, and nothing
 *    that such a client says reaches anybody.
 * 2. Every receipt is complete within the lease, counted from when auth answers.
 *
 * And what must follow: a covered socket is closed.
 */
export function judge({ clients, revocations, leaseMs }: Case): string[] {
  return revocations.flatMap(({ covers, answeringSince, completeAt }) => {
    if (completeAt === undefined) {
      return ['a receipt was never complete']
    }
    const took = completeAt - answeringSince
    return [
      ...(took > leaseMs + slackMs
        ? [`a receipt took ${took.toFixed(0)} ms; the lease is ${leaseMs} ms`]
        : []),
      ...covers.flatMap((covered) => [
        ...outTo(covered, completeAt),
        ...inFrom(covered, completeAt, clients),
        ...(covered.end === undefined ? [`${covered.name} is covered and not closed`] : []),
      ]),
    ]
  })
}

function outTo({ name, messages }: Witness, completeAt: number): string[] {
  return messages
    .filter(({ at }) => at > completeAt)
    .map(({ at, text }) => `${name} was sent ${text}, ${since(at, completeAt)}`)
}

function inFrom(covered: Witness, completeAt: number, clients: readonly Witness[]): string[] {
  const late = new Set(covered.said.filter(({ at }) => at > completeAt).map(({ n }) => n))
  return clients.flatMap((client) =>
    client.heard
      .filter(({ from, n }) => from === covered.name && late.has(n))
      .map(({ n, at }) => `${covered.name} said ${n} to ${client.name}, ${since(at, completeAt)}`),
  )
}

function since(at: number, completeAt: number): string {
  return `${(at - completeAt).toFixed(1)} ms after the receipt was complete`
}
