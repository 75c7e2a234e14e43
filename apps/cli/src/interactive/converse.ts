import type { Follow } from '../follow/follow-channels.js'
import { closeConnection, openConnection } from '../follow/open-connection.js'
import { watchConnection } from '../follow/watch-connection.js'
import { printable } from '../output/printable.js'
import { publicationLine } from '../output/publication.js'
import type { Session } from '../session/session.js'
import { Channels } from './channels.js'
import { openPrompt } from './prompt.js'
import { type Conversation, channelIn, completions, runLine } from './verbs.js'

/**
 * Runs an interactive client until the user ends it: commands on the last line of the terminal, events
 * above it.
 *
 * @throws CliError as `followChannels` does, except that a refused channel is only reported.
 */
export async function converse(session: Session, follow: Follow): Promise<void> {
  const { out, shell } = session
  const { url, tokens } = follow
  const centrifuge = openConnection(url, tokens)
  const channelNames = new Set(follow.channels)
  const closings: (() => void)[] = []
  try {
    await new Promise<void>((resolve, reject) => {
      closings.push(shell.onStop(resolve))
      const prompt = openPrompt(shell, {
        prompt: out.paint.cyan('> '),
        onLine(line) {
          const channel = channelIn(line)
          if (channel !== undefined) {
            channelNames.add(channel)
          }
          void runLine(conversation, line)
        },
        onEnd: resolve,
        complete: (line) => completions(line, [...channelNames].filter(isPrintable)),
      })
      closings.push(prompt.close)
      const { show } = prompt
      const remark = (text: string) => show(out.paint.dim(printable(text)))
      const connection: ReturnType<Conversation['connection']> = {
        url,
        client: undefined,
        since: undefined,
      }
      const channels = new Channels(centrifuge, out, show)
      const conversation: Conversation = {
        centrifuge,
        channels,
        out,
        show,
        connection: () => connection,
        quit: resolve,
      }
      watchConnection(centrifuge, {
        url,
        tokens,
        reject,
        connected(client) {
          Object.assign(connection, { client, since: Date.now() })
          remark(`connected to ${url}`)
        },
        connecting(code, reason) {
          Object.assign(connection, { client: undefined, since: undefined })
          remark(`connection lost (${code} ${reason}); reconnecting`)
        },
        closed: () => undefined,
      })
      // Publications of channels to which the server has subscribed the client.
      centrifuge.on('publication', ({ channel, data }) => show(publicationLine(out, channel, data)))
      remark('type help for a list of commands; stop with Ctrl-C')
      for (const channel of follow.channels) {
        channels.subscribe(channel)
      }
    })
  } finally {
    for (const close of closings) {
      close()
    }
    closeConnection(centrifuge)
  }
}

/** Completion offers no names with control characters, which could move the cursor. */
function isPrintable(name: string): boolean {
  return printable(name) === name
}
