export type Verdict = 'ok' | 'warning' | 'failed'

/** One thing that was looked at. */
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

/** @param advice - left out where what was found says it already */
export function failed(name: string, found: string, advice?: string): Check {
  return { name, verdict: 'failed', found, ...(advice === undefined ? {} : { advice }) }
}
