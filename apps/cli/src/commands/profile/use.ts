import type { Command } from 'commander'
import { loadProfile } from '../../installation/profile.js'
import { readProfiles, saveProfiles, storedProfile } from '../../installation/stored-profiles.js'
import type { Shell } from '../../terminal/shell.js'
import { globalOptions } from './global-options.js'

export function useCommand(profile: Command, shell: Shell): void {
  profile
    .command('use')
    .description('use this profile by default')
    .argument('<profile>')
    .action((name: string, _options: object, command: Command) => {
      const { out } = globalOptions(shell, command)
      const stored = readProfiles(shell)
      storedProfile(stored, name)
      saveProfiles(shell, { ...stored, use: name })
      out.show({ use: name }, () => `using ${name}`)
      const { source } = loadProfile(shell, {})
      if (!source.endsWith('(portcullis profile use)')) {
        out.note(`but in this directory ${source} has precedence`)
      }
    })
}
