import { rename, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.js'
import { newRegistrationCode } from '../registry/identities/registration-code.js'
import {
  type AdministratorOutcome,
  ensureAdministrator,
  getIdentity,
  type Registry,
  RegistryError,
} from '../registry/index.js'

/** Outcome of the administrator's setup at this start. */
export type AdministratorSetup = AdministratorOutcome & { identity: string }

/**
 * Makes sure that the registry has an administrator. Without ADMIN_REGISTRATION_CODE the first start
 * makes one, and writes its code to a file and nowhere else.
 *
 * @throws RegistryError, and errors of the file system
 */
export async function setUpAdministrator(
  app: FastifyInstance,
  registry: Registry,
  config: Config,
): Promise<AdministratorSetup> {
  const { ADMIN_IDENTITY: identity, ADMIN_REGISTRATION_CODE: registrationCode } = config
  if (registrationCode === undefined) {
    return { identity, ...(await makeOnFirstStart(app, registry, config)) }
  }
  const outcome = await ensureAdministrator(registry, { identity, registrationCode })
  if (outcome.made === 'refused') {
    app.log.warn(
      { identity },
      'ADMIN_REGISTRATION_CODE was removed from the administrator, or has expired, and is not added again: set it to the current code, or to a new one',
    )
  }
  return { identity, ...outcome }
}

async function makeOnFirstStart(
  app: FastifyInstance,
  registry: Registry,
  { ADMIN_IDENTITY: identity, ADMIN_CODE_FILE: codeFile }: Config,
): Promise<AdministratorOutcome> {
  if (await exists(registry, identity)) {
    return { made: 'nothing' }
  }
  const registrationCode = newRegistrationCode()
  // The file first: a registered code that is written nowhere would lock the administrator out.
  const file = await writeCode(codeFile, { identity, registrationCode })
  const outcome = await ensureAdministrator(registry, { identity, registrationCode })
  app.log.info({ file }, 'made the administrator; the file has its registration code')
  return outcome
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

/**
 * Writes the code to a new file of mode 0600, then renames it. No reader sees half a file, or a file
 * with the mode of an older one. Returns the absolute path.
 */
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
