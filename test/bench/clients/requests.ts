import { Client } from 'undici'

export interface Requests {
  /** Worker i uses the i-th URL, and so on in turn. */
  urls: readonly string[]
  method?: 'GET' | 'POST'
  headers?: Readonly<Record<string, string>>
  count: number
  /** Workers, each with a connection of its own and one request at a time. */
  concurrency: number
  /** Returns the body of the n-th request. */
  body?: (n: number) => string
}

/**
 * Sends requests over new connections. A new one, because servers end connections that were idle.
 *
 * @throws Error when an answer is no success, or has the member `error` or `"active":false`
 */
export async function sendRequests({
  urls,
  method = 'POST',
  headers = {},
  count,
  concurrency,
  body,
}: Requests): Promise<void> {
  let next = 0
  const worker = async (index: number) => {
    const url = new URL(urls[index % urls.length] ?? '')
    const client = new Client(url.origin)
    try {
      while (next < count) {
        const content = body?.(next)
        next += 1
        const answer = await client.request({
          method,
          path: `${url.pathname}${url.search}`,
          headers: { ...jsonOf(content), ...headers },
          ...(content === undefined ? {} : { body: content }),
        })
        const text = await answer.body.text()
        if (answer.statusCode >= 300 || /"error":|"active":false/.test(text)) {
          throw new Error(`${url.href} answered with ${answer.statusCode}: ${text.slice(0, 200)}`)
        }
      }
    } finally {
      await client.destroy()
    }
  }
  await Promise.all(Array.from({ length: concurrency }, (_, index) => worker(index)))
}

function jsonOf(content: string | undefined): Record<string, string> {
  return content === undefined ? {} : { 'content-type': 'application/json' }
}
