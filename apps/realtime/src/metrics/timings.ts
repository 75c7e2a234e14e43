import { Durations } from '@portcullis/service'

/** Durations since the start of the node. */
export interface Timings {
  readonly admissions: Durations
  readonly introspections: Durations
  readonly redisCommands: Durations
  readonly deliveries: Durations
  readonly handlerCalls: { readonly answered: Durations; readonly failed: Durations }
}

export function newTimings(): Timings {
  return {
    admissions: new Durations(),
    introspections: new Durations(),
    redisCommands: new Durations(),
    deliveries: new Durations(),
    handlerCalls: { answered: new Durations(), failed: new Durations() },
  }
}
