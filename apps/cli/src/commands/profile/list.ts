import type { Command } from 'commander'
import { readProfiles } from '../../installation/stored-profiles.js'
import { profileList } from '../../output/profile.js'
import type { Shell } from '../../terminal/shell.js'
import { globalOptions } from './global-options.js'

export function listCommand(profile: Command, shell: Shell): void {
  profile
    .command('list')
    .description('list profiles')
    .action((_options: object, command: Command) => {
      const { out } = globalOptions(shell, command)
      const { use, profiles } = readProfiles(shell)
      const rows = Object.entries(profiles).map(([name, stored]) => ({
        name,
        ...stored,
        use: name === use,
      }))
      out.show({ profiles: rows }, () => profileList(out, rows))
    })
}
