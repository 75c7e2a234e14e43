import type { Redis } from 'ioredis'

/** Says QUIT and waits for it, but never longer than `deadlineMs`. Safe to call in any state. */
export async function close(redis: Redis, deadlineMs = 500): Promise<void> {
  if (redis.status !== 'ready') {
    redis.disconnect()
    return
  }
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs)
  })
  await Promise.race([redis.quit().catch(() => undefined), deadline])
  clearTimeout(timer)
  redis.disconnect()
}
