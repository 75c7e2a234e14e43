import { CliError, HttpError } from '../errors.js'
import { printable } from '../output/printable.js'

export interface Exchange {
  /** What is asked, for messages: `auth` or `realtime`. */
  service: 'auth' | 'realtime'
  /** The service's own URL. */
  base: string
  path: string
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  token: string
  /** Sent as JSON. */
  json?: unknown
  /** Sent form-encoded. */
  form?: Readonly<Record<string, string>>
  /** Milliseconds for the whole answer; default 10 s. */
  timeoutMs?: number
  /** Ends it: the person has stopped the command. */
  signal?: AbortSignal
}

const defaultTimeoutMs = 10_000

/**
 * One HTTP request; gives what the answer's body holds, undefined when it holds nothing.
 *
 * @throws CliError when there is no answer, or it is not JSON; HttpError when it is not a success.
 */
export async function exchange(request: Exchange): Promise<unknown> {
  const { service, base } = request
  const { ok, status, text } = await send(request, async (response) => ({
    ok: response.ok,
    status: response.status,
    text: await response.text(),
  }))
  if (!ok) {
    throw refusal(service, status, text)
  }
  if (text === '') {
    return undefined
  }
  const answer = parsed(text)
  if (answer !== undefined) {
    return answer
  }
  throw new CliError('failed', `${base} does not answer like ${service}: is the URL right?`)
}

/**
 * One HTTP request whose answer may be long: its text, as it comes. `timeoutMs` is for its beginning.
 *
 * @throws CliError when there is no answer; HttpError when it is not a success.
 */
export async function exchangeStream(request: Exchange): Promise<AsyncIterable<string>> {
  const { service, base } = request
  const begun = new AbortController()
  const timer = setTimeout(
    () => begun.abort(new DOMException('no answer in time', 'TimeoutError')),
    request.timeoutMs ?? defaultTimeoutMs,
  )
  const signal = AbortSignal.any([begun.signal, ...(request.signal ? [request.signal] : [])])
  const response = await send(
    { ...request, signal, timeoutMs: 0 },
    async (answer) => answer,
  ).finally(() => clearTimeout(timer))
  if (!response.ok) {
    throw refusal(service, response.status, await response.text())
  }
  if (response.body !== null) {
    return response.body.pipeThrough(new TextDecoderStream())
  }
  throw new CliError('failed', `${base} does not answer like ${service}: is the URL right?`)
}

async function send<Answer>(
  request: Exchange,
  read: (response: Response) => Promise<Answer>,
): Promise<Answer> {
  const { service, base, path, method = 'GET', token, json, form, signal } = request
  const { timeoutMs = defaultTimeoutMs } = request
  const headers = new Headers({
    authorization: `Bearer ${token}`,
    accept: 'application/json, application/jsonl',
  })
  let body: string | undefined
  if (json !== undefined) {
    headers.set('content-type', 'application/json')
    body = JSON.stringify(json)
  } else if (form !== undefined) {
    headers.set('content-type', 'application/x-www-form-urlencoded')
    body = new URLSearchParams(form).toString()
  }
  const init: RequestInit = { method, headers, redirect: 'error' }
  if (body !== undefined) {
    init.body = body
  }
  const ends = [
    ...(timeoutMs > 0 ? [AbortSignal.timeout(timeoutMs)] : []),
    ...(signal === undefined ? [] : [signal]),
  ]
  try {
    return await read(await fetch(`${base}${path}`, { ...init, signal: AbortSignal.any(ends) }))
  } catch (error) {
    throw unreachable(service, base, error)
  }
}

function refusal(service: string, status: number, text: string): HttpError {
  const why = printable(detailOf(parsed(text)) ?? `HTTP ${status}`)
  return new HttpError(status, `${service}: ${why}`)
}

/** Why a request found no answer, and what to look at. */
export function unreachable(service: string, base: string, error: unknown): CliError {
  const reason = systemReason(error)
  const hint = `is ${service} running there? npm start runs it; --${service} names another`
  return new CliError('failed', `cannot reach ${service} at ${base} (${reason}): ${hint}`)
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'unknown host',
  EAI_AGAIN: 'the host name cannot be looked up',
  ETIMEDOUT: 'no answer',
  TimeoutError: 'no answer in time',
}

/** fetch wraps what the system said in one or more causes. */
function systemReason(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? cause.code : undefined
    const reason = (typeof code === 'string' ? reasons[code] : undefined) ?? reasons[cause.name]
    if (reason !== undefined) {
      return reason
    }
  }
  return 'the connection failed'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** RFC 9457 `detail`, OAuth's `error_description`, or what there is instead. */
function detailOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null) {
    return undefined
  }
  const said = new Map(Object.entries(answer))
  for (const name of ['detail', 'error_description', 'title', 'message', 'error']) {
    const value: unknown = said.get(name)
    if (typeof value === 'string' && value !== '') {
      return value
    }
  }
  return undefined
}
