import type { Recorder } from './recorder.js'
import type { Revocation } from './revocation.js'

/**
 * Tolerance in milliseconds, for pauses of the machine and for the HTTP requests by which the test
 * learns of the completion.
 */
const slackMs = 1000

/** The judged part of a client's record. */
export type Witness = Pick<Recorder, 'name' | 'messages' | 'received' | 'sent' | 'end'>

export interface Case {
  clients: readonly Witness[]
  revocations: readonly (Pick<Revocation, 'answeringSince' | 'completeAt'> & {
    covers: readonly Witness[]
  })[]
  /** LEASE_MS of the installation. */
  leaseMs: number
}

/**
 * Compares the records of the clients with the receipts. Returns a text for every violation of:
 *
 * 1. After a complete receipt, no client with a covered token receives a message, and nothing that
 *    such a client publishes reaches another client.
 * 2. Every receipt is complete within the lease, counted from when auth answers.
 * 3. Every covered socket is closed.
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
        ...deliveredTo(covered, completeAt),
        ...acceptedFrom(covered, completeAt, clients),
        ...(covered.end === undefined ? [`${covered.name} is covered but not closed`] : []),
      ]),
    ]
  })
}

function deliveredTo({ name, messages }: Witness, completeAt: number): string[] {
  return messages
    .filter(({ at }) => at > completeAt)
    .map(({ at, text }) => `${name} received ${text}, ${since(at, completeAt)}`)
}

function acceptedFrom(covered: Witness, completeAt: number, clients: readonly Witness[]): string[] {
  const late = new Set(covered.sent.filter(({ at }) => at > completeAt).map(({ n }) => n))
  return clients.flatMap((client) =>
    client.received
      .filter(({ from, n }) => from === covered.name && late.has(n))
      .map(
        ({ n, at }) =>
          `publication ${n} of ${covered.name} reached ${client.name}, ${since(at, completeAt)}`,
      ),
  )
}

function since(at: number, completeAt: number): string {
  return `${(at - completeAt).toFixed(1)} ms after the receipt was complete`
}
