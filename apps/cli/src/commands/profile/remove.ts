import { rmSync } from 'node:fs'
import { defined } from '@portcullis/contracts/defined'
import type { Command } from 'commander'
import {
  keptCodeFile,
  readProfiles,
  saveProfiles,
  storedProfile,
} from '../../installation/stored-profiles.js'
import type { Shell } from '../../terminal/shell.js'
import { globalOptions } from './global-options.js'

export function removeCommand(profile: Command, shell: Shell): void {
  profile
    .command('remove')
    .description('remove a profile, and the code that --keep-code stored for it')
    .argument('<profile>')
    .action((name: string, _options: object, command: Command) => {
      const { out } = globalOptions(shell, command)
      const stored = readProfiles(shell)
      const { registrationCode } = storedProfile(stored, name)
      const { [name]: _removed, ...profiles } = stored.profiles
      const use = stored.use === name ? undefined : stored.use
      saveProfiles(shell, { ...defined({ use }), profiles })
      const kept = keptCodeFile(shell, name)
      if ('file' in registrationCode && registrationCode.file === kept) {
        rmSync(kept, { force: true })
      }
      out.show({ name, removed: true }, () => `removed ${name}`)
    })
}
