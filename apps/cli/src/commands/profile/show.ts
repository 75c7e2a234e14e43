import type { Command } from 'commander'
import { codeSourceText } from '../../installation/code-source.js'
import { places } from '../../installation/places.js'
import { loadProfile } from '../../installation/profile.js'
import { configFile } from '../../installation/stored-profiles.js'
import { profileText } from '../../output/profile.js'
import type { Shell } from '../../terminal/shell.js'
import { globalOptions } from './global-options.js'

export function showCommand(profile: Command, shell: Shell): void {
  profile
    .command('show')
    .description('show which installation is used in this directory, and why')
    .argument('[profile]', 'show this profile instead; the same as --profile')
    .action((name: string | undefined, _options: object, command: Command) => {
      const { out, flags } = globalOptions(shell, command)
      const chosen = name === undefined ? flags : { ...flags, profile: name }
      const { source, auth, realtime, caller, tls } = loadProfile(shell, chosen)
      const order = places(shell, chosen).map(({ name, absent, find }) => {
        const found = find()?.source
        return { place: name, ...(found === undefined ? { absent } : { found }) }
      })
      const shown = {
        source,
        auth,
        realtime: realtime.map(({ socket }) => socket),
        ...(caller && { identity: caller.identity, code: codeSourceText(caller.code) }),
        ...(Object.keys(tls).length > 0 && { tls }),
        file: configFile(shell),
        order,
      }
      out.show(shown, () => profileText(out, shown))
    })
}
