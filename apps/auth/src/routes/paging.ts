import { Type } from '@sinclair/typebox'

/** Query of a list; `cursor` is the previous page's. */
export const Paging = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
    cursor: Type.Optional(Type.String({ maxLength: 256 })),
  },
  { additionalProperties: false },
)
