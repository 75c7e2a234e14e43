/**
 * Lets a write happen on behalf of a token: calls `send` at once if the token still may act, with the
 * deadline on the clock of `performance.now()`. `isOver` returns true for an error after which the
 * write cannot happen any more.
 */
export type Permit = <Result>(
  send: (until: number) => Promise<Result>,
  isOver: (error: unknown) => boolean,
) => Promise<Result>
