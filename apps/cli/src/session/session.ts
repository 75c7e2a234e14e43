import type { Command } from 'commander'
import { type AuthApi, authApi, type TokenNeed } from '../api/auth-api.js'
import type { CommandTokens } from '../api/command-tokens.js'
import { CliError } from '../errors.js'
import type { ProfileFlags } from '../installation/places.js'
import { loadProfile, type Profile } from '../installation/profile.js'
import { readCode } from '../installation/read-code.js'
import { type RealtimeUrl, realtimeUrl } from '../installation/realtime-url.js'
import { useTls } from '../installation/tls.js'
import { type Output, output } from '../output/output.js'
import type { Shell } from '../terminal/shell.js'

/** What a command works with: the shell, the output and the installation. */
export interface Session {
  readonly shell: Shell
  readonly out: Output
  readonly profile: Profile
  /** Returns the API of auth, used with a token. @throws CliError when the profile names no identity. */
  auth(need: TokenNeed): AuthApi
  /** Returns the URL of a realtime node. @throws CliError when the node is unknown. */
  realtime(choice: NodeChoice): RealtimeUrl
}

/** A realtime node: by its index in the profile, from 0, or by its URL. */
export interface NodeChoice {
  node?: number
  url?: string
}

export type OpenSession = (command: Command) => Session

interface GlobalOptions extends ProfileFlags {
  json?: boolean
}

/** @throws CliError when the configuration is invalid. */
export function openSession(shell: Shell, tokens: CommandTokens, command: Command): Session {
  const { json = false, ...flags } = command.optsWithGlobals<GlobalOptions>()
  const out = output(shell, shell.env, json)
  const profile = loadProfile(shell, flags)
  for (const note of profile.notes) {
    out.note(note)
  }
  useTls(profile.tls)
  return {
    shell,
    out,
    profile,
    auth(need) {
      const { caller } = profile
      if (caller !== undefined) {
        const { identity, code } = caller
        const registrationCode = () => readCode(code, identity, shell)
        return authApi(profile.auth, { identity, registrationCode }, need, tokens)
      }
      throw new CliError(
        'failed',
        'no identity is configured; run this in the directory of npm start, add a profile ' +
          '(portcullis profile add), or set PORTCULLIS_IDENTITY and ' +
          'PORTCULLIS_REGISTRATION_CODE_FILE',
      )
    },
    realtime({ node, url }) {
      return url === undefined ? nodeAt(profile.realtime, node ?? 0) : realtimeUrl(url)
    },
  }
}

function nodeAt(nodes: readonly RealtimeUrl[], index: number): RealtimeUrl {
  const node = nodes[index]
  if (node !== undefined) {
    return node
  }
  if (nodes.length === 0) {
    throw new CliError('usage', 'no realtime node is configured; name one with --url')
  }
  const known = nodes.length === 1 ? 'use 0' : `use 0 to ${nodes.length - 1}`
  throw new CliError('usage', `--node ${index} does not exist; ${known}, or --url`)
}
