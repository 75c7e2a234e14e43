import { createHash } from 'node:crypto'
import type { Commands } from './commands.js'
import { TooLateError } from './errors.js'
import { readScript } from './read-script.js'

/**
 * Runs a Lua script with keys and arguments, and resolves to the value that the script returns.
 *
 * `deadline` is in Unix milliseconds of the clock of the Redis that runs the script (see
 * `ServerClocks`). Redis refuses the script from that moment on.
 *
 * @throws TooLateError when the deadline has passed
 */
export type Script<Reply> = (
  redis: Commands,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
  deadline?: number,
) => Promise<Reply>

/** Runs before the script. Removes the deadline, which is the last argument, and compares it. */
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
 * Reads a `.lua` file and its includes (see `readScript`), once, and returns the function that runs it.
 *
 * Redis keeps scripts by hash, and forgets them on a restart or failover; then the text is sent again.
 *
 * @throws ScriptIncludeError as `readScript`
 */
export function script<Reply>(file: URL): Script<Reply> {
  const source = readScript(file)
  const plain = sender<Reply>(source)
  let bounded: Sender<Reply> | undefined
  return (redis, keys, args, deadline) => {
    if (deadline === undefined) {
      return plain(redis, keys, args)
    }
    bounded ??= sender(beforeDeadline + source)
    // Rounded down: the deadline may come up to 1 ms early, never late.
    return bounded(redis, keys, [...args, Math.floor(deadline)])
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
        throw asTooLate(error)
      }
    }
    try {
      return (await redis.eval(source, keys.length, ...keys, ...args)) as Reply
    } catch (error) {
      throw asTooLate(error)
    }
  }
}

/** Returns a TooLateError for the refusal of `beforeDeadline`, and any other error unchanged. */
function asTooLate(error: unknown): unknown {
  const isLate = error instanceof Error && error.message.startsWith('TOOLATE')
  return isLate ? new TooLateError() : error
}
