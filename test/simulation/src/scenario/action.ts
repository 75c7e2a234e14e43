import type { Selector } from '@portcullis/contracts/revocations'

export const leaseMs = 1000
/** Faults begin after this time, in milliseconds. */
export const settledMs = 250
/** The time with faults, in milliseconds. */
export const faultsMs = 3200
/** Every fault has ended by this time, in milliseconds. */
export const healedAtMs = settledMs + faultsMs
/** The time without faults at the end, in milliseconds: a lease, and time for clients to reconnect. */
export const healedMs = 2200

/** One step of a scenario, at a time in milliseconds. */
export type Action = { at: number } & (
  | { kind: 'connect'; client: number; token: string }
  | { kind: 'refresh'; client: number; token: string }
  | { kind: 'vanish'; client: number }
  | { kind: 'issue'; token: TokenOrder }
  | { kind: 'revoke'; selector: Selector; identity: string }
  | ({ kind: 'call' } & CallOrder)
  | { kind: 'stop at effect'; host: string; ms: number }
  | { kind: 'stop'; host: string; ms: number }
  | { kind: 'kill'; host: string; lostPower: boolean; downMs: number }
  | { kind: 'leave'; host: string; downMs: number }
  | { kind: 'usurp'; host: string }
  | { kind: 'block'; from: string; to: string; ways: 'both' | 'there' | 'back'; ms: number }
  | { kind: 'break'; a: string; b: string; told: 'both' | 'a' | 'b' | 'none' }
  | { kind: 'back up' }
  /** `promoted`: the same Redis becomes the primary again, with the data of another Redis. */
  | { kind: 'restart registry'; downMs: number; older: boolean; promoted?: boolean }
  | { kind: 'step clock'; ms: number }
)

/** A request over HTTP with a token; `pieces` are the milliseconds between the pieces of its body. */
export interface CallOrder {
  service: 'node' | 'auth'
  /** Default: the load balancer's choice. */
  host?: string
  token: string
  pieces: readonly number[]
  write: { kind: 'issue' } | { kind: 'register'; identity: string }
}

export interface TokenOrder {
  jti: string
  identity: string
  subject: string
  labels: readonly string[]
  parents: readonly string[]
}

export type RevokeAction = Extract<Action, { kind: 'revoke' }>

/** Returns a token id; it begins with the token's partition. */
export function tokenId(partition: number, name: string): string {
  return `${partition}-${name.padEnd(22, '_')}`
}

/** Returns true if a revocation with this selector may cover the token. */
export function mayCover(selector: Selector, token: TokenOrder): boolean {
  if ('all' in selector) {
    return true
  }
  if ('jti' in selector) {
    return [token.jti, ...token.parents].includes(selector.jti)
  }
  return selector.identity === token.identity
}

/** Returns an action as a line of the history. */
export function describe({ at: _at, kind, ...more }: Action): string {
  return `${kind} ${JSON.stringify(more)}`
}
