import { auditActions } from '@portcullis/contracts/audit'
import { channelActions, serviceScopes } from '@portcullis/contracts/scopes'
import { readProfiles } from '../installation/stored-profiles.js'
import type { Shell } from '../terminal/shell.js'
import type { Candidate, Completion, ValuesOf } from './candidates.js'

/** Returns the values that are known without asking a service. */
export function knownValues(shell: Shell): ValuesOf {
  const values: Readonly<Record<string, () => Completion>> = {
    file: () => 'files',
    action: () => Object.keys(auditActions).map(bare),
    profile: () => profiles(shell),
    scopes: () => [...serviceScopes, ...channelActions.map((action) => `${action}:`)].map(bare),
  }
  return (placeholder) => values[placeholder]?.()
}

function profiles(shell: Shell): readonly Candidate[] {
  try {
    return Object.entries(readProfiles(shell).profiles).map(([value, { auth, identity }]) => ({
      value,
      description: `${identity} at ${auth}`,
    }))
  } catch {
    // No error while the user types; the command itself will report it.
    return []
  }
}

function bare(value: string): Candidate {
  return { value, description: '' }
}
