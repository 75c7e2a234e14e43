import type { Centrifuge } from 'centrifuge'
import { parsePublishData } from '../options/parse-publish-data.js'
import type { Output } from '../output/output.js'
import { printable } from '../output/printable.js'
import { shownData } from '../output/publication.js'
import { relative } from '../output/time.js'
import type { ChannelState, Channels } from './channels.js'
import { failureText } from './failure-text.js'

export interface Conversation {
  centrifuge: Centrifuge
  channels: Channels
  out: Output
  show(text: string): void
  /** What `status` says first. */
  connection(): { url: string; client: string | undefined; since: number | undefined }
  quit(): void
}

interface Verb {
  /** What follows the name. */
  usage: string
  does: string
  /** Words that have to be there. */
  words: number
  /** The last of them is the rest of the line, spaces and all. */
  rest?: true
  run(on: Conversation, first: string, second: string): unknown
}

const historyLimit = 10

/** What can be typed, by name. */
const verbs: Readonly<Record<string, Verb>> = {
  subscribe: {
    usage: '<channel>',
    does: 'show what comes into the channel',
    words: 1,
    run: ({ channels }, channel) => channels.subscribe(channel),
  },
  unsubscribe: {
    usage: '<channel>',
    does: 'leave the channel',
    words: 1,
    run: ({ channels }, channel) => channels.unsubscribe(channel),
  },
  watch: {
    usage: '<channel>',
    does: 'subscribe, and show who comes and goes',
    words: 1,
    run: ({ channels }, channel) => channels.watch(channel),
  },
  publish: {
    usage: '<channel> <data>',
    does: 'publish JSON, or else text',
    words: 2,
    rest: true,
    async run({ centrifuge, show, out }, channel, data) {
      await centrifuge.publish(channel, parsePublishData(data))
      show(out.paint.dim(printable(`published into ${channel}`)))
    },
  },
  presence: {
    usage: '<channel>',
    does: 'who is there now',
    words: 1,
    async run({ centrifuge, show, out }, channel) {
      const clients = Object.values((await centrifuge.presence(channel)).clients)
      show(
        out.table(
          [
            { head: 'USER', value: ({ user }) => user },
            { head: 'CLIENT', value: ({ client }) => client },
          ],
          clients,
          printable(`nobody is in ${channel}`),
        ),
      )
    },
  },
  history: {
    usage: '<channel> [n]',
    does: `the last ${historyLimit}, or n, publications that the channel keeps`,
    words: 1,
    async run({ centrifuge, show, out }, channel, count) {
      const limit = count === '' ? historyLimit : Number(count)
      if (!Number.isSafeInteger(limit) || limit < 1) {
        throw new Error('n is a whole number from 1')
      }
      const { publications, offset } = await centrifuge.history(channel, { limit, reverse: true })
      const lines = publications
        .reverse()
        .map(({ offset, data }) => `${out.paint.dim(`${offset ?? ''}`)}  ${shownData(data)}`)
      const head = printable(`${channel} is at offset ${offset}`)
      show([out.paint.dim(head), ...lines].join('\n'))
    },
  },
  rpc: {
    usage: '<method> [data]',
    does: 'call your application',
    words: 1,
    rest: true,
    async run({ centrifuge, show }, method, data) {
      const answer = await centrifuge.rpc(method, data === '' ? null : parsePublishData(data))
      show(`${printable(method)}: ${shownData(answer.data)}`)
    },
  },
  status: {
    usage: '',
    does: 'the connection and its channels',
    words: 0,
    run: (on) => on.show(statusText(on)),
  },
  help: {
    usage: '',
    does: 'this',
    words: 0,
    run: ({ show, out }) => show(helpText(out)),
  },
  quit: {
    usage: '',
    does: 'end; so do Ctrl-C and Ctrl-D',
    words: 0,
    run: ({ quit }) => quit(),
  },
}

/** Does what a line says; what goes wrong is said, and ends nothing. */
export async function obey(on: Conversation, line: string): Promise<void> {
  const fail = (text: string) => on.show(on.out.paint.red(printable(text)))
  const [, name = '', first = '', tail = ''] = /^(\S*)\s*(\S*)\s*(.*)$/s.exec(line.trim()) ?? []
  if (name === '') {
    return
  }
  const verb = verbNamed(name)
  if (verb === undefined) {
    return fail(`there is no ${name}; help shows what there is`)
  }
  const words = [first, tail].filter((word) => word !== '').length
  const most = verb.usage === '' ? 0 : verb.usage.split(' ').length
  const oneTooMany = words > most || (verb.rest === undefined && /\s/.test(tail))
  if (words < verb.words || oneTooMany) {
    return fail(`usage: ${name} ${verb.usage}`.trimEnd())
  }
  try {
    await verb.run(on, first, tail)
  } catch (error) {
    fail(`${name} ${first}: ${failureText(error)}`)
  }
}

/** The channel that a line is about, if it is about one. */
export function channelIn(line: string): string | undefined {
  const [name = '', channel] = line.trim().split(/\s+/)
  return takesChannel(name) ? channel : undefined
}

/** What the last word of a line may become: a command, or one of `channels`. */
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
    ([name, { usage, does }]) => [`${name} ${usage}`.trimEnd(), does] as const,
  )
  const width = Math.max(...rows.map(([call]) => call.length))
  return rows.map(([call, does]) => `${call.padEnd(width)}  ${paint.dim(does)}`).join('\n')
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
