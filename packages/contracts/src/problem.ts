import { type Static, Type } from '@sinclair/typebox'

/** Problem JSON (RFC 9457). `code` is stable, for programs; `detail` tells people what to change. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
  instance: Type.Optional(Type.String()),
})
export type Problem = Static<typeof Problem>
