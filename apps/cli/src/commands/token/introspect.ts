import { Introspection } from '@portcullis/contracts/introspection'
import type { Command } from 'commander'
import { readToken } from '../../files/token-file.js'
import { introspectionText } from '../../output/token.js'
import type { OpenSession } from '../../session/session.js'

export function introspectCommand(token: Command, open: OpenSession): void {
  token
    .command('introspect')
    .description('ask auth if a token is active')
    .option('--token-file <file>', 'file with the token; default: standard input', '-')
    .action(async ({ tokenFile }: { tokenFile: string }, command: Command) => {
      const { auth, out, shell } = open(command)
      const form = { token: await readToken(tokenFile, shell) }
      const answer = await auth({ scope: 'introspect' }).call(Introspection, '/oauth/introspect', {
        method: 'POST',
        form,
      })
      out.show(answer, () => introspectionText(out, answer))
    })
}
