import { rename, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { newRegistrationCode } from '../registry/identities/registration-code.js'
import {
  type AdministratorOutcome,
  ensureAdministrator,
  getIdentity,
  type Registry,
  RegistryError,
} from '../registry/index.js'

export interface AdministratorOptions {
  identity: string
  /** A code that the administrator is to have; without it one is made when there is no administrator. */
  registrationCode?: string | undefined
  /** Where a code that was made is written, mode 0600. */
  codeFile: string
}

/**
 * Makes sure that there is an administrator. Gives what there was to do, and the path of the file that
 * its code was written to, when one was made; the code itself goes nowhere else.
 */
export async function administrator(
  registry: Registry,
  { identity, registrationCode, codeFile }: AdministratorOptions,
): Promise<AdministratorOutcome & { codeFile?: string }> {
  if (registrationCode !== undefined) {
    return ensureAdministrator(registry, { identity, registrationCode })
  }
  if (await exists(registry, identity)) {
    return { made: 'nothing' }
  }
  const made = newRegistrationCode()
  // The file first: a code that is registered and written nowhere would lock everyone out.
  const path = await writeCode(codeFile, { identity, registrationCode: made })
  const done = await ensureAdministrator(registry, { identity, registrationCode: made })
  return { ...done, codeFile: path }
}

async function exists(registry: Registry, identity: string): Promise<boolean> {
  try {
    await getIdentity(registry, identity)
    return true
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'identity_not_found') {
      return false
    }
    throw error
  }
}

/** Written beside and renamed, so that nobody reads half a file or one with an older file's mode. */
async function writeCode(
  file: string,
  content: { identity: string; registrationCode: string },
): Promise<string> {
  const path = resolve(file)
  const temporary = `${path}.${process.pid}.tmp`
  await rm(temporary, { force: true })
  await writeFile(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  await rename(temporary, path)
  return path
}
