import { defined } from '@portcullis/contracts/defined'

export type Verdict = 'ok' | 'warning' | 'failed'

/** The result of one check. */
export interface Check {
  name: string
  verdict: Verdict
  /** What was found. */
  found: string
  /** What to change. */
  advice?: string
}

export function ok(name: string, found: string): Check {
  return { name, verdict: 'ok', found }
}

export function warning(name: string, found: string, advice: string): Check {
  return { name, verdict: 'warning', found, advice }
}

/** @param advice - omitted when `found` already says what to change */
export function failed(name: string, found: string, advice?: string): Check {
  return { name, verdict: 'failed', found, ...defined({ advice }) }
}
