import { type Commands, isCluster } from './commands.js'

/** Says QUIT and waits for the end, but never longer than `deadlineMs`. Safe to call in any state. */
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
      // What watches Sentinels for it does not end with QUIT.
      () => isCluster(redis) || redis.disconnect(),
      () => redis.disconnect(),
    )
  })
}
