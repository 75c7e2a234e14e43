import { randomBytes } from 'node:crypto'
import { apiOf, type Credentials } from '../identities/administrator.js'
import { type Api, typedApi } from './api.js'
import { type ServiceProcess, startProcess } from './start-process.js'

export interface StartAuthOptions {
  redisUrl: string
  /** REDIS_PREFIX */
  prefix: string
  /** More settings. They override ours. */
  env?: Readonly<Record<string, string>>
  /** Absolute path of the program; the compiled one by default. */
  program?: string
}

export interface AuthProcess extends ServiceProcess {
  readonly admin: Credentials
  /** Calls it as the administrator. */
  readonly api: Api
  /** The settings that another instance of the same installation must share. */
  readonly sharedEnv: Readonly<Record<string, string>>
}

/** Starts an auth process on a free port, with an administrator. Resolves when it is ready. */
export async function startAuth({
  redisUrl,
  prefix,
  env = {},
  program,
}: StartAuthOptions): Promise<AuthProcess> {
  let issuer = ''
  const settings = (url: string) => {
    issuer = url
    return {
      REDIS_URL: redisUrl,
      REDIS_PREFIX: prefix,
      ISSUER: url,
      ADMIN_IDENTITY: 'admin',
      ADMIN_REGISTRATION_CODE: code,
      KEY_ENCRYPTION_SECRET: secret,
      ...env,
    }
  }
  const code = env['ADMIN_REGISTRATION_CODE'] ?? randomBytes(32).toString('base64url')
  const secret = env['KEY_ENCRYPTION_SECRET'] ?? randomBytes(32).toString('base64url')
  const running = await startProcess('auth', settings, program)
  const admin = { identity: env['ADMIN_IDENTITY'] ?? 'admin', registrationCode: code }
  return Object.assign(running, {
    admin,
    api: typedApi(apiOf(running.url, admin)),
    sharedEnv: {
      ...env,
      ISSUER: env['ISSUER'] ?? issuer,
      ADMIN_IDENTITY: admin.identity,
      ADMIN_REGISTRATION_CODE: code,
      KEY_ENCRYPTION_SECRET: secret,
    },
  })
}
