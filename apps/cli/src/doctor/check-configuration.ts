import { statSync } from 'node:fs'
import type { Profile } from '../installation/profile.js'
import { type Check, failed, ok, warning } from './check.js'

/** The first version of Node that the command is made for. */
const leastNode = 20

/** What runs the command, where it found the installation, and who else may read the secrets there. */
export function checkConfiguration(
  { source, auth, realtime, secretFiles }: Profile,
  { node, platform }: { node: string; platform: string },
): Check[] {
  const [major = 0] = node.replace(/^v/, '').split('.').map(Number)
  const runtime =
    major >= leastNode
      ? ok('node', node)
      : failed('node', node, `install Node ${leastNode} or newer`)
  const urls = [auth, ...realtime.map(({ api }) => api)]
  return [
    runtime,
    ok('configuration', `${source}: auth ${auth}, realtime ${realtime.length}`),
    ...secretFiles.map((file) => checkMode(file, platform)),
    ...urls.flatMap(checkPlain),
  ]
}

function checkMode(file: string, platform: string): Check {
  // Windows has access lists instead, and shows a mode that says nothing.
  if (platform === 'win32') {
    return warning('file', file, 'see to it that only you can read it')
  }
  const mode = statSync(file).mode & 0o777
  const octal = `0${mode.toString(8)}`
  if ((mode & 0o077) === 0) {
    return ok('file', `${file} (${octal})`)
  }
  return failed(
    'file',
    `others can read the registration code in ${file} (${octal})`,
    `chmod 600 ${file}`,
  )
}

/** Tokens and registration codes that cross a network in the clear. */
function checkPlain(base: string): Check[] {
  const { protocol, hostname } = new URL(base)
  if (protocol === 'https:' || isLoopback(hostname)) {
    return []
  }
  const advice = 'use https and wss, or see to it that nobody else is on the way'
  return [warning('encryption', `${base} is not encrypted: tokens can be read on the way`, advice)]
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)
}
