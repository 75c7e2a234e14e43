import type { Follow } from '../follow/follow-channels.js'
import { connectTo, leave } from '../follow/node-connection.js'
import { watchConnection } from '../follow/watch-connection.js'
import { printable } from '../output/printable.js'
import { publicationLine } from '../output/publication.js'
import type { Session } from '../session/session.js'
import { Channels } from './channels.js'
import { openPrompt } from './prompt.js'
import { type Conversation, channelIn, completions, obey } from './verbs.js'

/**
 * A connection that a person speaks with: commands on a line at the end of the terminal, what happens
 * above it. Ends when they want no more.
 *
 * @throws CliError as `follow` does; but a channel that is refused is said, and ends nothing.
 */
export async function converse(session: Session, follow: Follow): Promise<void> {
  const { out, shell } = session
  const { url, tokens } = follow
  const centrifuge = connectTo(url, tokens)
  const named = new Set(follow.channels)
  const closings: (() => void)[] = []
  try {
    await new Promise<void>((resolve, reject) => {
      closings.push(shell.onStop(resolve))
      const prompt = openPrompt(shell, {
        prompt: out.paint.cyan('> '),
        onLine(line) {
          const channel = channelIn(line)
          if (channel !== undefined) {
            named.add(channel)
          }
          void obey(conversation, line)
        },
        onEnd: resolve,
        complete: (line) => completions(line, [...named].filter(isPrintable)),
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
          remark(`connection lost (${code} ${reason}); connecting again`)
        },
        closed: () => undefined,
      })
      // What the server has put the client into.
      centrifuge.on('publication', ({ channel, data }) => show(publicationLine(out, channel, data)))
      remark('help lists what you can type; Ctrl-C ends')
      for (const channel of follow.channels) {
        channels.subscribe(channel)
      }
    })
  } finally {
    for (const close of closings) {
      close()
    }
    leave(centrifuge)
  }
}

/** A name that would steer the terminal as it is offered has to be typed. */
function isPrintable(name: string): boolean {
  return printable(name) === name
}
