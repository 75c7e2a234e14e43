import { type Commands, isCluster } from './commands.js'

/**
 * Sends QUIT and waits for the end of the connection, at most `deadlineMs`. May be called in any
 * state.
 */
export async function close(redis: Commands, deadlineMs = 500): Promise<void> {
  if (redis.status !== 'ready') {
    redis.disconnect()
    return
  }
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      redis.disconnect()
      resolve()
    }, deadlineMs)
    redis.once('end', () => {
      clearTimeout(timer)
      resolve()
    })
    redis.quit().then(
      // A connection that also watches Sentinels does not end with QUIT.
      () => isCluster(redis) || redis.disconnect(),
      () => redis.disconnect(),
    )
  })
}
