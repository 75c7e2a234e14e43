// One-shot setup of compose.yaml: makes sure that auth knows the realtime nodes' identity, and
// keeps its registration code in a volume that only they read. Node's own modules alone.
// AUTH_URL, IDENTITY, CODE_FILE (written, mode 0600), ADMIN_REGISTRATION_CODE_FILE (read).
import { readFileSync, writeFileSync } from 'node:fs'

const {
  AUTH_URL,
  IDENTITY = 'realtime',
  CODE_FILE,
  ADMIN_IDENTITY = 'admin',
  ADMIN_REGISTRATION_CODE_FILE,
} = process.env
if (!AUTH_URL || !CODE_FILE || !ADMIN_REGISTRATION_CODE_FILE) {
  fail('AUTH_URL, CODE_FILE and ADMIN_REGISTRATION_CODE_FILE are required')
}

/** @param {string} reason @returns {never} */
function fail(reason) {
  process.stderr.write(`cannot register: ${reason}\n`)
  process.exit(1)
}

/** @param {string} file */
function contents(file) {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}

/**
 * A text field of auth's answer.
 * @param {unknown} answer @param {string} name
 * @returns {string}
 */
function field(answer, name) {
  const value = typeof answer === 'object' && answer !== null && Reflect.get(answer, name)
  return typeof value === 'string' ? value : fail(`auth's answer has no ${name}`)
}

/**
 * An access token of the identity's own; undefined when auth does not admit it.
 * @param {string} identity @param {string} code
 * @returns {Promise<string | undefined>}
 */
async function token(identity, code) {
  const basic = Buffer.from(`${encodeURIComponent(identity)}:${encodeURIComponent(code)}`)
  const answer = await fetch(`${AUTH_URL}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic.toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  if (answer.status >= 500) {
    fail(`auth answered ${answer.status}`)
  }
  return answer.ok ? field(await answer.json(), 'access_token') : undefined
}

/** @param {string} bearer @param {string} path @param {object} body */
function post(bearer, path, body) {
  return fetch(`${AUTH_URL}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

const kept = contents(CODE_FILE)
if (!kept || !(await token(IDENTITY, kept))) {
  const adminCode = contents(ADMIN_REGISTRATION_CODE_FILE)
  if (!adminCode) {
    fail('the file of ADMIN_REGISTRATION_CODE_FILE cannot be read')
  }
  const admin = await token(ADMIN_IDENTITY, adminCode)
  if (!admin) {
    fail('auth does not admit the administrator')
  }
  const scopes = ['introspect', 'feed']
  let answer = await post(admin, '/v1/identities', { identity: IDENTITY, scopes })
  if (answer.status === 409) {
    answer = await post(admin, `/v1/identities/${IDENTITY}/registration-codes`, {})
  }
  if (!answer.ok) {
    fail(`auth answered ${answer.status}`)
  }
  const registrationCode = field(await answer.json(), 'registrationCode')
  writeFileSync(CODE_FILE, `${registrationCode}\n`, { mode: 0o600 })
}
process.stdout.write(`${IDENTITY} is registered\n`)
