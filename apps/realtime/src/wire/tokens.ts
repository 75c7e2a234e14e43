import { type Gate, GateError } from '@portcullis/gate'
import type { Tokens } from '../connection/tokens.js'
import { hasExpired } from './has-expired.js'

/** Adapts the gate to what connections need of it. */
export function wireTokens(
  gate: Pick<Gate, 'hold' | 'effect' | 'introspect' | 'registryTime'>,
): Tokens {
  return {
    watch: (grant, onEnd) => gate.hold(grant, onEnd),
    permit: (grant) => (send, isOver) => gate.effect(grant, send, isOver),
    introspect: async (token) => {
      try {
        return await gate.introspect(token)
      } catch (error) {
        if (!(error instanceof GateError)) {
          throw error
        }
        if (error.code === 'auth_unavailable') {
          return 'unavailable'
        }
        return hasExpired(token, gate.registryTime()) ? 'expired' : 'invalid'
      }
    },
  }
}
