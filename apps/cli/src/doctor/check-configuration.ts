import { statSync } from 'node:fs'
import type { Profile } from '../installation/profile.js'
import { counted } from '../output/counted.js'
import { type Check, failed, ok, warning } from './check.js'

const minNode = 20

/** Checks the version of Node, the modes of files with secrets, and the encryption of the URLs. */
export function checkConfiguration(
  { source, auth, realtime, secretFiles }: Profile,
  { node, platform }: { node: string; platform: string },
): Check[] {
  const [major = 0] = node.replace(/^v/, '').split('.').map(Number)
  const runtime =
    major >= minNode ? ok('node', node) : failed('node', node, `install Node ${minNode} or newer`)
  const urls = [auth, ...realtime.map(({ api }) => api)]
  return [
    runtime,
    ok('configuration', `${source}: auth ${auth}, ${counted(realtime.length, 'realtime node')}`),
    ...secretFiles.map((file) => checkMode(file, platform)),
    ...urls.flatMap(checkEncryption),
  ]
}

function checkMode(file: string, platform: string): Check {
  // Windows uses access lists; its modes mean nothing.
  if (platform === 'win32') {
    return warning('file', file, 'make sure that only you can read this file')
  }
  const mode = statSync(file).mode & 0o777
  const octal = `0${mode.toString(8)}`
  if ((mode & 0o077) === 0) {
    return ok('file', `${file} (${octal})`)
  }
  return failed(
    'file',
    `other users can read the registration code in ${file} (${octal})`,
    `chmod 600 ${file}`,
  )
}

/** Warns of tokens and registration codes that would cross a network in clear text. */
function checkEncryption(base: string): Check[] {
  const { protocol, hostname } = new URL(base)
  if (protocol === 'https:' || isLoopback(hostname)) {
    return []
  }
  const advice = 'use https and wss, or a private network'
  return [
    warning(
      'encryption',
      `${base} is not encrypted: others on the network can read tokens`,
      advice,
    ),
  ]
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)
}
