import { isUtf8 } from 'node:buffer'
import { type Data, dataOfBytes, elementsOf, findMember, JsonText } from '@portcullis/protocol'
import type { FastifyInstance } from 'fastify'
import { Refusal } from '../refusals/refusal.js'

const byteOrderMark = '\ufeff'
const maybePolluting = /__proto__|constructor|\\u/

/**
 * Parses JSON bodies, and keeps the data in them unchanged: `data` of a body, and of each of its
 * `commands`, becomes a JsonText. Data that is nested too deep stays as JSON.parse returned it. Refuses
 * bodies with keys that pollute prototypes, except in data, which nothing here reads.
 */
export function keepData(api: FastifyInstance): void {
  const parse = api.getDefaultJsonParser('ignore', 'ignore')
  api.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (request, bytes: Buffer, done) => {
      if (!isUtf8(bytes)) {
        done(new Refusal(400, 'bad_request', 'the body must be UTF-8'))
        return
      }
      const text = withoutMark(bytes.toString())
      parse(request, text, (error, body: unknown) => {
        keepTexts(body, text)
        if (maybePolluting.test(text) && pollutes(body)) {
          done(new Refusal(400, 'bad_request', 'the body must have no __proto__ or constructor'))
        } else {
          done(error, body)
        }
      })
    },
  )
}

/** Returns the data of a body that `keepData` has parsed; undefined when it has none. */
export function bodyData({
  data,
  b64data,
}: {
  data?: unknown
  b64data?: string | undefined
}): Data | 'too deep' | undefined {
  if (b64data !== undefined) {
    return dataOfBytes(Buffer.from(b64data, 'base64'))
  }
  if (data === undefined) {
    return undefined
  }
  return data instanceof JsonText ? data : 'too deep'
}

function withoutMark(text: string): string {
  return text.startsWith(byteOrderMark) ? text.slice(1) : text
}

function keepTexts(body: unknown, text: string): void {
  if (!isObject(body)) {
    return
  }
  keepText(body, text, ['data'])
  const { commands } = body
  const list = Array.isArray(commands) ? findMember(text, ['commands']) : undefined
  if (!Array.isArray(commands) || list === undefined) {
    return
  }
  for (const [index, { start }] of elementsOf(text, list.start).entries()) {
    const command: unknown = commands[index]
    // The schema refuses a command with several names.
    const [name, ...others] = isObject(command) ? Object.keys(command) : []
    const inner = isObject(command) && name !== undefined ? command[name] : undefined
    if (isObject(inner) && name !== undefined && others.length === 0) {
      keepText(inner, text, [name, 'data'], start)
    }
  }
}

function keepText(
  body: Record<string, unknown>,
  text: string,
  path: readonly string[],
  start?: number,
): void {
  if ('data' in body) {
    body['data'] = JsonText.member(text, path, start) ?? body['data']
  }
}

/** Returns true when a key outside of data is `__proto__`, or `constructor` with a `prototype`. */
function pollutes(body: unknown): boolean {
  const values = [body]
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    if (typeof value !== 'object' || value === null || value instanceof JsonText) {
      continue
    }
    const maker: unknown = value.constructor
    if (Object.hasOwn(value, '__proto__')) {
      return true
    }
    if (Object.hasOwn(value, 'constructor') && Object.hasOwn(Object(maker), 'prototype')) {
      return true
    }
    values.push(...Object.values(value))
  }
  return false
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
