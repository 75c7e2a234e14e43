import { type Static, Type } from '@sinclair/typebox'

/** `.portcullis/local.json`, mode 0600: what `npm start` runs, for tools on the same machine. */
export const LocalRun = Type.Object({
  auth: Type.String(),
  realtime: Type.Array(Type.String()),
  redis: Type.String(),
  pids: Type.Object({
    auth: Type.Integer(),
    realtime: Type.Array(Type.Integer()),
    /** Absent when Redis is not ours (`REDIS_URL`). */
    redis: Type.Optional(Type.Integer()),
  }),
  admin: Type.Object({ identity: Type.String(), registrationCode: Type.String() }),
})
export type LocalRun = Static<typeof LocalRun>
