import type { Command } from 'commander'
import { type AuthApi, authApi } from '../api/auth-api.js'
import { CliError } from '../errors.js'
import { loadProfile, type Profile, type ProfileFlags } from '../installation/profile.js'
import { readCode } from '../installation/read-code.js'
import { type RealtimeUrl, realtimeUrl } from '../installation/realtime-url.js'
import { useTls } from '../installation/tls.js'
import { type Output, output } from '../output/output.js'
import type { Shell } from '../terminal/shell.js'

/** What a command works with: the installation that it is for, and the terminal. */
export interface Session {
  readonly shell: Shell
  readonly out: Output
  readonly profile: Profile
  /** @throws CliError when nobody said who the caller is. */
  auth(): AuthApi
  /** @throws CliError when there is no such node. */
  realtime(choice: NodeChoice): RealtimeUrl
}

/** Which realtime node: the n-th that is known, from 0, or one by its URL. */
export interface NodeChoice {
  node?: number
  url?: string
}

export type OpenSession = (command: Command) => Session

interface GlobalOptions extends ProfileFlags {
  json?: boolean
}

/** @throws CliError when the configuration cannot be used. */
export function openSession(shell: Shell, command: Command): Session {
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
    auth() {
      const { caller } = profile
      if (caller !== undefined) {
        const { identity, code } = caller
        const registrationCode = () => readCode(code, identity, shell)
        return authApi(profile.auth, { identity, registrationCode })
      }
      throw new CliError(
        'failed',
        'who are you? Run this where npm start runs, name a profile (portcullis profile add), or set ' +
          'PORTCULLIS_IDENTITY and PORTCULLIS_REGISTRATION_CODE_FILE',
      )
    },
    realtime({ node, url }) {
      if (url !== undefined) {
        return realtimeUrl(url)
      }
      const chosen = profile.realtime[node ?? 0]
      if (chosen !== undefined) {
        return chosen
      }
      const last = profile.realtime.length - 1
      if (last < 0) {
        throw new CliError('usage', 'no realtime node is known; name one with --url')
      }
      throw new CliError('usage', `there is no node ${node}; known are 0 to ${last}, or use --url`)
    },
  }
}
