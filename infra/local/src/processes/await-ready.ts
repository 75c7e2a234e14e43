import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { LocalError } from '../errors.js'
import { type Child, failedChild, lastLines } from './child.js'

/**
 * Waits until `GET <url>/ready` answers 200.
 *
 * @throws LocalError `process_failed` when the child ends first, or is not ready within
 * `deadlineMs`; its last log lines are the error's details.
 */
export async function awaitReady(child: Child, url: string, deadlineMs = 60_000): Promise<void> {
  const deadline = Date.now() + deadlineMs
  let reason = 'no answer'
  while (Date.now() < deadline) {
    if (child.hasEnded()) {
      throw failedChild(child, await child.ended)
    }
    const answer = await ask(`${url}/ready`)
    if (answer === undefined) {
      return
    }
    reason = answer
    await Promise.race([child.ended, delay(50)])
  }
  throw new LocalError(
    'process_failed',
    `${child.name} was not ready after ${deadlineMs / 1000} s (${reason}); its log is ${child.logFile}`,
    lastLines(child),
  )
}

/** Returns undefined when the service is ready, otherwise the reason. */
async function ask(url: string): Promise<string | undefined> {
  try {
    const { statusCode, body } = await request(url, { headersTimeout: 2000, bodyTimeout: 2000 })
    const text = await body.text()
    return statusCode === 200 ? undefined : `${statusCode} ${text}`.slice(0, 200)
  } catch (error) {
    return error instanceof Error ? error.message : 'no answer'
  }
}
