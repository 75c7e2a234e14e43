import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Commands } from './commands.js'
import { TooLateError } from './errors.js'

/**
 * A Lua script: runs with these keys and arguments, and resolves to what the script returns.
 *
 * With `deadline`, in Unix milliseconds of the clock of the Redis that runs it (see `ServerClocks`),
 * Redis does nothing once that moment has come.
 *
 * @throws TooLateError when Redis has refused it for that
 */
export type Script<Reply> = (
  redis: Commands,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
  deadline?: number,
) => Promise<Reply>

/** Takes the deadline, which is the last argument, away from the script behind it. */
const beforeDeadline = `
do
  local time = redis.call('TIME')
  local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  if nowMs >= tonumber(table.remove(ARGV)) then
    return redis.error_reply('TOOLATE the deadline has passed')
  end
end
`

/**
 * Reads a `.lua` file once and returns the function that runs it; the functions of files before it are
 * there for it to call.
 * Redis keeps scripts by hash and forgets them on restart or failover; then the text is sent again.
 */
export function script<Reply>(...files: readonly URL[]): Script<Reply> {
  const source = files.map((file) => readFileSync(file, 'utf8')).join('\n')
  const plain = sender<Reply>(source)
  let bounded: Sender<Reply> | undefined
  return async (redis, keys, args, deadline) => {
    if (deadline === undefined) {
      return plain(redis, keys, args)
    }
    bounded ??= sender(beforeDeadline + source)
    try {
      // Rounded down: a moment too early refuses what would have been in time, and nothing else.
      return await bounded(redis, keys, [...args, Math.floor(deadline)])
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('TOOLATE')) {
        throw new TooLateError()
      }
      throw error
    }
  }
}

type Sender<Reply> = (
  redis: Commands,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
) => Promise<Reply>

function sender<Reply>(source: string): Sender<Reply> {
  const sha = createHash('sha1').update(source).digest('hex')
  return async (redis, keys, args) => {
    try {
      return (await redis.evalsha(sha, keys.length, ...keys, ...args)) as Reply
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) {
        throw error
      }
      return (await redis.eval(source, keys.length, ...keys, ...args)) as Reply
    }
  }
}
