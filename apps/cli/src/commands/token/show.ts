import { TokenInfo } from '@portcullis/contracts/tokens'
import type { Command } from 'commander'
import { tokenFields } from '../../output/token.js'
import type { OpenSession } from '../../session/session.js'

export function showCommand(token: Command, open: OpenSession): void {
  token
    .command('show')
    .description('show what the registry stores about a token')
    .argument('<jti>', 'id of the token')
    .action(async (jti: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const info = await auth({ scope: 'tokens:read' }).call(
        TokenInfo,
        `/v1/tokens/${encodeURIComponent(jti)}`,
      )
      out.show(info, () => out.fields(tokenFields(info.subject, info)))
    })
}
