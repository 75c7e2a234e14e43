import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Commands } from './commands.js'

/** A Lua script: runs with these keys and arguments, gives what the script returns. */
export type Script<Reply> = (
  redis: Commands,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
) => Promise<Reply>

/**
 * Reads a `.lua` file once and gives the function that runs it; the functions of files before it are
 * there for it to call.
 * Redis keeps scripts by hash and forgets them on restart or failover; then the text is sent again.
 */
export function script<Reply>(...files: readonly URL[]): Script<Reply> {
  const source = files.map((file) => readFileSync(file, 'utf8')).join('\n')
  const sha = createHash('sha1').update(source).digest('hex')
  return async (redis, keys, args) => {
    try {
      return (await redis.evalsha(sha, keys.length, ...keys, ...args)) as Reply
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return (await redis.eval(source, keys.length, ...keys, ...args)) as Reply
    }
  }
}
