/*
 * Parts of the gate for a service that verifies tokens itself and watches the grants of its callers. That
 * service is auth.
 */

export { Admission } from '../admission/admission.js'
export { Backoff } from '../auth/backoff.js'
export { GateError } from '../errors.js'
export { maxTimerMs } from '../max-timer.js'
export { newStats } from '../stats.js'
export type { IsOver, Work } from './effects.js'
export { LiveGrant } from './grant.js'
export type { Lease } from './lease.js'
export { type MachineClocks, machineClocks, SuspendDetector } from './suspend-detector.js'
export { type Mark, Watch } from './watch.js'
