import { CliError, HttpError } from '../errors.js'
import { printable } from '../output/printable.js'

export interface HttpRequest {
  /** The service that is asked; named in error messages. */
  service: 'auth' | 'realtime'
  /** Base URL of the service. */
  base: string
  path: string
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Bearer token. */
  token: string
  /** Body, sent as JSON. */
  json?: unknown
  /** Body that is JSON already, sent unchanged. */
  jsonText?: string
  /** Body, sent form-encoded. */
  form?: Readonly<Record<string, string>>
  /** Milliseconds to wait for the response; default 10 s. */
  timeoutMs?: number
  /** Aborts the request. */
  signal?: AbortSignal
}

const defaultTimeoutMs = 10_000

/**
 * Sends a request and returns the JSON of the response body, or undefined when the body is empty.
 *
 * @throws CliError when no response arrives or it is not JSON; HttpError on an error status.
 */
export async function requestJson(request: HttpRequest): Promise<unknown> {
  const { service, base } = request
  const { ok, status, text } = await send(request, async (response) => ({
    ok: response.ok,
    status: response.status,
    text: await response.text(),
  }))
  if (!ok) {
    throw httpError(service, status, text)
  }
  if (text === '') {
    return undefined
  }
  const answer = parseJson(text)
  if (answer !== undefined) {
    return answer
  }
  throw wrongService(service, base)
}

/**
 * Sends a request and returns the text of the response as it arrives. `timeoutMs` bounds the wait for
 * the response headers only.
 *
 * @throws CliError when no response arrives; HttpError on an error status.
 */
export async function requestStream(request: HttpRequest): Promise<AsyncIterable<string>> {
  const { service, base } = request
  const headersLate = new AbortController()
  const timer = setTimeout(
    () => headersLate.abort(new DOMException('no response in time', 'TimeoutError')),
    request.timeoutMs ?? defaultTimeoutMs,
  )
  const signal = AbortSignal.any([headersLate.signal, ...(request.signal ? [request.signal] : [])])
  const response = await send(
    { ...request, signal, timeoutMs: 0 },
    async (received) => received,
  ).finally(() => clearTimeout(timer))
  if (!response.ok) {
    throw httpError(service, response.status, await response.text())
  }
  if (response.body !== null) {
    return response.body.pipeThrough(new TextDecoderStream())
  }
  throw wrongService(service, base)
}

async function send<Result>(
  request: HttpRequest,
  read: (response: Response) => Promise<Result>,
): Promise<Result> {
  const { service, base, path, method = 'GET', token, form, signal } = request
  const { json, jsonText = json === undefined ? undefined : JSON.stringify(json) } = request
  const { timeoutMs = defaultTimeoutMs } = request
  const headers = new Headers({
    authorization: `Bearer ${token}`,
    accept: 'application/json, application/jsonl',
  })
  let body: string | undefined
  if (jsonText !== undefined) {
    headers.set('content-type', 'application/json')
    body = jsonText
  } else if (form !== undefined) {
    headers.set('content-type', 'application/x-www-form-urlencoded')
    body = new URLSearchParams(form).toString()
  }
  const init: RequestInit = { method, headers, redirect: 'error' }
  if (body !== undefined) {
    init.body = body
  }
  const signals = [
    ...(timeoutMs > 0 ? [AbortSignal.timeout(timeoutMs)] : []),
    ...(signal === undefined ? [] : [signal]),
  ]
  try {
    return await read(await fetch(`${base}${path}`, { ...init, signal: AbortSignal.any(signals) }))
  } catch (error) {
    throw unreachable(service, base, error)
  }
}

function httpError(service: string, status: number, text: string): HttpError {
  const why = printable(errorText(parseJson(text)) ?? `HTTP ${status}`)
  return new HttpError(status, `${service}: ${why}`)
}

/** Returns the error for a response that `service` would not send. */
export function wrongService(service: HttpRequest['service'], base: string): CliError {
  return new CliError(
    'failed',
    `the response of ${base} is not from ${service}; check the URL (--${service})`,
  )
}

/** Returns the error for a request that got no response: the URL, the reason, and what to check. */
export function unreachable(
  service: HttpRequest['service'],
  base: string,
  error: unknown,
): CliError {
  const reason = systemReason(error)
  const hint = `start it (npm start), or give another URL with --${service}`
  return new CliError('failed', `cannot reach ${service} at ${base} (${reason}); ${hint}`)
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'unknown host',
  EAI_AGAIN: 'DNS lookup failed',
  ETIMEDOUT: 'timeout',
  TimeoutError: 'timeout',
}

/** Returns why a request failed, from the system's error code; `fetch` wraps it in one or more causes. */
export function systemReason(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? cause.code : undefined
    const reason = (typeof code === 'string' ? reasons[code] : undefined) ?? reasons[cause.name]
    if (reason !== undefined) {
      return reason
    }
  }
  return 'the connection failed'
}

/** Parses JSON; returns undefined when `text` is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Returns the message of an error response: `detail` of RFC 9457, `error_description` of OAuth, … */
function errorText(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null) {
    return undefined
  }
  const members = new Map(Object.entries(answer))
  for (const name of ['detail', 'error_description', 'title', 'message', 'error']) {
    const value: unknown = members.get(name)
    if (typeof value === 'string' && value !== '') {
      return value
    }
  }
  return undefined
}
