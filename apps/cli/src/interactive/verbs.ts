import type { Centrifuge } from 'centrifuge'
import { parsePublishData } from '../options/parse-publish-data.js'
import type { Output } from '../output/output.js'
import { printable } from '../output/printable.js'
import { dataText } from '../output/publication.js'
import { relative } from '../output/time.js'
import type { ChannelState, Channels } from './channels.js'
import { failureText } from './failure-text.js'

export interface Conversation {
  centrifuge: Centrifuge
  channels: Channels
  out: Output
  show(text: string): void
  /** Returns the state of the connection, for `status`. */
  connection(): { url: string; client: string | undefined; since: number | undefined }
  quit(): void
}

interface Verb {
  /** Arguments, as `help` shows them. */
  usage: string
  description: string
  minWords: number
  /** The last argument is the rest of the line, spaces included. */
  rest?: true
  run(conversation: Conversation, first: string, second: string): unknown
}

const historyLimit = 10

/** The commands of the prompt, by name. */
const verbs: Readonly<Record<string, Verb>> = {
  subscribe: {
    usage: '<channel>',
    description: 'subscribe and print publications',
    minWords: 1,
    run: ({ channels }, channel) => channels.subscribe(channel),
  },
  unsubscribe: {
    usage: '<channel>',
    description: 'unsubscribe',
    minWords: 1,
    run: ({ channels }, channel) => channels.unsubscribe(channel),
  },
  watch: {
    usage: '<channel>',
    description: 'subscribe and print joins and leaves too',
    minWords: 1,
    run: ({ channels }, channel) => channels.watch(channel),
  },
  publish: {
    usage: '<channel> <data>',
    description: 'publish JSON; other text is published as a string',
    minWords: 2,
    rest: true,
    async run({ centrifuge, show, out }, channel, data) {
      await centrifuge.publish(channel, typedData({ show, out }, data))
      show(out.paint.dim(printable(`published into ${channel}`)))
    },
  },
  presence: {
    usage: '<channel>',
    description: 'list the clients in the channel',
    minWords: 1,
    async run({ centrifuge, show, out }, channel) {
      const clients = Object.values((await centrifuge.presence(channel)).clients)
      show(
        out.table(
          [
            { head: 'USER', value: ({ user }) => user },
            { head: 'CLIENT', value: ({ client }) => client },
          ],
          clients,
          printable(`no clients in ${channel}`),
        ),
      )
    },
  },
  history: {
    usage: '<channel> [n]',
    description: `print the last n publications of its history; default ${historyLimit}`,
    minWords: 1,
    async run({ centrifuge, show, out }, channel, count) {
      const limit = count === '' ? historyLimit : Number(count)
      if (!Number.isSafeInteger(limit) || limit < 1) {
        throw new Error('n must be a whole number, 1 or more')
      }
      const { publications, offset } = await centrifuge.history(channel, { limit, reverse: true })
      const lines = publications
        .reverse()
        .map(({ offset, data }) => `${out.paint.dim(`${offset ?? ''}`)}  ${dataText(data)}`)
      const head = printable(`${channel} is at offset ${offset}`)
      show([out.paint.dim(head), ...lines].join('\n'))
    },
  },
  rpc: {
    usage: '<method> [data]',
    description: 'call a method of your application',
    minWords: 1,
    rest: true,
    async run({ centrifuge, show, out }, method, data) {
      const answer = await centrifuge.rpc(
        method,
        data === '' ? null : typedData({ show, out }, data),
      )
      show(`${printable(method)}: ${dataText(answer.data)}`)
    },
  },
  status: {
    usage: '',
    description: 'show the connection and its channels',
    minWords: 0,
    run: (conversation) => conversation.show(statusText(conversation)),
  },
  help: {
    usage: '',
    description: 'show this list',
    minWords: 0,
    run: ({ show, out }) => show(helpText(out)),
  },
  quit: {
    usage: '',
    description: 'stop, as Ctrl-C and Ctrl-D do',
    minWords: 0,
    run: ({ quit }) => quit(),
  },
}

/** Returns typed data: JSON, or a string with a remark if it looks like broken JSON. */
function typedData({ show, out }: Pick<Conversation, 'show' | 'out'>, text: string): unknown {
  const { json, warning } = parsePublishData(text)
  if (warning !== undefined) {
    show(out.paint.dim(warning))
  }
  return JSON.parse(json)
}

/** Runs a typed line. Errors are printed, never thrown. */
export async function runLine(conversation: Conversation, line: string): Promise<void> {
  const fail = (text: string) => conversation.show(conversation.out.paint.red(printable(text)))
  const [, name = '', first = '', tail = ''] = /^(\S*)\s*(\S*)\s*(.*)$/s.exec(line.trim()) ?? []
  if (name === '') {
    return
  }
  const verb = verbNamed(name)
  if (verb === undefined) {
    return fail(`unknown command ${name}; type help for a list`)
  }
  const words = [first, tail].filter((word) => word !== '').length
  const maxWords = verb.usage === '' ? 0 : verb.usage.split(' ').length
  const tooMany = words > maxWords || (verb.rest === undefined && /\s/.test(tail))
  if (words < verb.minWords || tooMany) {
    return fail(`usage: ${name} ${verb.usage}`.trimEnd())
  }
  try {
    await verb.run(conversation, first, tail)
  } catch (error) {
    fail(`${name} ${first}: ${failureText(error)}`)
  }
}

/** Returns the channel that a line names, if its command takes one. */
export function channelIn(line: string): string | undefined {
  const [name = '', channel] = line.trim().split(/\s+/)
  return takesChannel(name) ? channel : undefined
}

/** Returns the completions of the last word of a line: commands, or `channels`. */
export function completions(line: string, channels: readonly string[]): readonly string[] {
  const [name = '', ...words] = line.split(' ')
  if (words.length === 0) {
    return Object.keys(verbs)
  }
  return words.length === 1 && takesChannel(name) ? channels : []
}

function takesChannel(name: string): boolean {
  return verbNamed(name)?.usage.startsWith('<channel>') === true
}

function verbNamed(name: string): Verb | undefined {
  return Object.hasOwn(verbs, name) ? verbs[name] : undefined
}

function helpText({ paint }: Output): string {
  const rows = Object.entries(verbs).map(
    ([name, { usage, description }]) => [`${name} ${usage}`.trimEnd(), description] as const,
  )
  const width = Math.max(...rows.map(([call]) => call.length))
  return rows
    .map(([call, description]) => `${call.padEnd(width)}  ${paint.dim(description)}`)
    .join('\n')
}

function statusText({ centrifuge, channels, out, connection }: Conversation): string {
  const { url, client, since } = connection()
  const head = out.fields([
    ['connection', centrifuge.state],
    ['url', url],
    ['client', client],
    ['since', since === undefined ? undefined : relative(since)],
  ])
  const table = out.table<ChannelState>(
    [
      { head: 'CHANNEL', value: ({ channel }) => channel },
      { head: 'STATE', value: ({ state }) => state, whole: true },
      { head: 'PUBLICATIONS', value: ({ publications }) => `${publications}`, right: true },
    ],
    channels.states(),
    'no channels',
  )
  return `${head}\n\n${table}`
}
