/**
 * Permits a write on behalf of a token: calls `send` synchronously if the token may still act, with
 * the deadline on the clock of `performance.now()`. `isOver` returns true for an error after which
 * the write cannot happen any more.
 */
export type Permit = <Result>(
  send: (until: number) => Promise<Result>,
  isOver: (error: unknown) => boolean,
) => Promise<Result>
