import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startInstallation } from '@portcullis/local'
import type { Test } from 'tap'
import { startTcpProxy } from '../faults/network/tcp-proxy.js'

/** All that a backend may do, and what it passes on to its users. */
const scopes = [
  'introspect',
  'nodes:read',
  'identities:write',
  'tokens:issue',
  'tokens:revoke',
  'subscribe:demo:*',
  'publish:demo:*',
  'presence:demo:*',
  'history:demo:*',
]

/**
 * Starts an installation for the programs of other languages, with an application's identity, and with
 * these settings besides ours. Returns the environment in which the programs find it.
 */
export async function startSite(
  t: Test,
  env: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, string>>> {
  const { auth, realtime, identityClient } = await startInstallation(t, {
    realtime: 1,
    env: {
      ADMISSION: 'connect',
      NAMESPACES: '{"demo":{"historySize":100,"recovery":true,"presence":true,"joinLeave":true}}',
      ...env,
    },
  })
  const [node] = realtime
  const { identity, registrationCode } = await identityClient('shop', scopes)
  const network = await startTcpProxy(t, node.url)
  const control = createServer((request, response) => {
    if (request.url === '/cut') {
      network.cut()
    } else {
      network.resume()
    }
    response.end('null')
  }).listen(0, '127.0.0.1')
  await once(control, 'listening')
  t.teardown(() => control.close())
  const { port } = control.address() as AddressInfo
  return {
    AUTH_URL: auth.url,
    NODE_URL: node.url,
    SOCKET_URL: `ws://127.0.0.1:${network.port}/connection/websocket`,
    IDENTITY: identity,
    REGISTRATION_CODE: registrationCode,
    CONTROL_URL: `http://127.0.0.1:${port}`,
  }
}
