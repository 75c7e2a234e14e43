import { type Static, Type } from '@sinclair/typebox'

/**
 * `.portcullis/local.json`, mode 0600: the processes that `npm start` runs, for tools on this
 * machine.
 */
export const LocalRun = Type.Object({
  auth: Type.String(),
  realtime: Type.Array(Type.String()),
  redis: Type.String(),
  pids: Type.Object({
    auth: Type.Integer(),
    realtime: Type.Array(Type.Integer()),
    /** Absent when `REDIS_URL` names a Redis that `npm start` did not start. */
    redis: Type.Optional(Type.Integer()),
  }),
  admin: Type.Object({ identity: Type.String(), registrationCode: Type.String() }),
})
export type LocalRun = Static<typeof LocalRun>
