// Makes sure that auth knows the identity of the realtime nodes, and keeps its registration code where only
// they read it. Run it before the nodes start, once or again and again. Node's own modules alone.
//
// AUTH_URL, IDENTITY (default: realtime)
// ADMIN_IDENTITY (default: admin), ADMIN_REGISTRATION_CODE_FILE
// CODE_FILE: the file to keep the code in, mode 0600; or
// CODE_SECRET: the name of an existing Kubernetes Secret, of this pod's namespace, which gets the code as
// `registration-code`. The pod's service account needs `get` and `patch` for it, and NODE_EXTRA_CA_CERTS
// must name the service account's ca.crt.
import { readFileSync, writeFileSync } from 'node:fs'

const {
  AUTH_URL,
  IDENTITY = 'realtime',
  CODE_FILE,
  CODE_SECRET,
  ADMIN_IDENTITY = 'admin',
  ADMIN_REGISTRATION_CODE_FILE,
  KUBERNETES_URL = 'https://kubernetes.default.svc',
  SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount',
} = process.env
const secretKey = 'registration-code'

if (!AUTH_URL || !ADMIN_REGISTRATION_CODE_FILE) {
  fail('AUTH_URL and ADMIN_REGISTRATION_CODE_FILE are required')
}
if (!CODE_FILE === !CODE_SECRET) {
  fail('set either CODE_FILE or CODE_SECRET')
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
 * Returns a text field of a JSON answer.
 * @param {unknown} answer @param {string} name
 * @returns {string}
 */
function field(answer, name) {
  const value = typeof answer === 'object' && answer !== null && Reflect.get(answer, name)
  return typeof value === 'string' ? value : fail(`auth's answer has no ${name}`)
}

/**
 * Sends a request. Ends the program when the server cannot be reached or has an error of its own.
 * @param {string} server the name for messages @param {string} url @param {RequestInit} request
 * @returns {Promise<Response>}
 */
async function send(server, url, request) {
  const answer = await fetch(url, request).catch((/** @type {unknown} */ error) =>
    fail(`${server} cannot be reached (${error instanceof Error ? String(error.cause) : error})`),
  )
  return answer.status >= 500 ? fail(`${server} answered ${answer.status}`) : answer
}

/**
 * Returns an access token of the identity's own; undefined when auth does not admit it.
 * @param {string} identity @param {string} code
 * @returns {Promise<string | undefined>}
 */
async function token(identity, code) {
  const basic = Buffer.from(`${encodeURIComponent(identity)}:${encodeURIComponent(code)}`)
  const answer = await send('auth', `${AUTH_URL}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic.toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  return answer.ok ? field(await answer.json(), 'access_token') : undefined
}

/** @param {string} bearer @param {string} path @param {object} body */
function post(bearer, path, body) {
  return send('auth', `${AUTH_URL}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/** Returns a new registration code of the identity, which auth gets to know if it does not. */
async function makeCode() {
  const adminCode = contents(ADMIN_REGISTRATION_CODE_FILE ?? '')
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
  return field(await answer.json(), 'registrationCode')
}

/**
 * Reads the Secret, or changes it with a merge patch.
 * @param {object} [patch]
 * @returns {Promise<unknown>}
 */
async function kubernetesSecret(patch) {
  const namespace = contents(`${SERVICE_ACCOUNT}/namespace`)
  const url = `${KUBERNETES_URL}/api/v1/namespaces/${namespace}/secrets/${CODE_SECRET}`
  const answer = await send('Kubernetes', url, {
    method: patch === undefined ? 'GET' : 'PATCH',
    headers: {
      authorization: `Bearer ${contents(`${SERVICE_ACCOUNT}/token`)}`,
      'content-type': 'application/merge-patch+json',
    },
    ...(patch === undefined ? {} : { body: JSON.stringify(patch) }),
  })
  return answer.ok
    ? answer.json()
    : fail(`Kubernetes answered ${answer.status} about the Secret ${CODE_SECRET}`)
}

/** @returns {Promise<string | undefined>} */
async function readCode() {
  if (CODE_FILE) {
    return contents(CODE_FILE)
  }
  const secret = await kubernetesSecret()
  const data = typeof secret === 'object' && secret !== null && Reflect.get(secret, 'data')
  const kept = typeof data === 'object' && data !== null && Reflect.get(data, secretKey)
  return typeof kept === 'string' ? Buffer.from(kept, 'base64').toString().trim() : undefined
}

/** @param {string} code */
async function keepCode(code) {
  if (CODE_FILE) {
    writeFileSync(CODE_FILE, `${code}\n`, { mode: 0o600 })
  } else {
    await kubernetesSecret({ data: { [secretKey]: Buffer.from(code).toString('base64') } })
  }
}

const kept = await readCode()
if (!kept || !(await token(IDENTITY, kept))) {
  await keepCode(await makeCode())
}
process.stdout.write(`${IDENTITY} is registered\n`)
