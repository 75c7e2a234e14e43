import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import getPort from 'get-port'
import type { Test } from 'tap'
import { Agent, request } from 'undici'

export interface Answer {
  status: number
  /** The JSON body as text. */
  text: string
}

/** The API server of Kubernetes with its etcd, and nothing that would run a pod. */
export interface Kubernetes {
  /** `https://127.0.0.1:port` */
  readonly url: string
  /** File with the certificate of the server. */
  readonly caFile: string
  /** Sends a request, as the administrator unless it has a token. */
  call(method: string, path: string, body?: object, token?: string): Promise<Answer>
  /** Returns the path of the collection that an object belongs to. */
  collectionOf(object: KubernetesObject): Promise<string>
}

export const kubernetesObject = Type.Object({
  apiVersion: Type.String(),
  kind: Type.String(),
  metadata: Type.Object({ name: Type.String(), namespace: Type.Optional(Type.String()) }),
})
export type KubernetesObject = Static<typeof kubernetesObject>

const resources = Type.Object({
  resources: Type.Array(Type.Object({ name: Type.String(), kind: Type.String() })),
})

export interface StartKubernetesOptions {
  /** Absolute paths of the programs. */
  apiServer: string
  etcd: string
}

/** Starts an API server that checks permissions. Resolves when it is ready. */
export async function startKubernetes(
  t: Test,
  { apiServer, etcd }: StartKubernetesOptions,
): Promise<Kubernetes> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-kubernetes-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const [port, etcdPort, peerPort] = [await getPort(), await getPort(), await getPort()]
  const etcdUrl = `http://127.0.0.1:${etcdPort}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  start(t, etcd, [
    ...['--data-dir', join(dir, 'etcd'), '--unsafe-no-fsync'],
    ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
    ...['--initial-cluster', `default=${peerUrl}`],
  ])
  const administrator = randomBytes(16).toString('hex')
  writeFileSync(join(dir, 'tokens.csv'), `${administrator},admin,admin,system:masters\n`)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(join(dir, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(join(dir, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  const server = start(t, apiServer, [
    ...['--etcd-servers', etcdUrl, '--secure-port', `${port}`, '--bind-address', '127.0.0.1'],
    ...['--cert-dir', dir, '--token-auth-file', join(dir, 'tokens.csv')],
    ...[
      '--authorization-mode',
      'RBAC',
      '--service-account-issuer',
      'https://kubernetes.default.svc',
    ],
    ...['--service-account-key-file', join(dir, 'sa.pub')],
    ...['--service-account-signing-key-file', join(dir, 'sa.key')],
    ...['--disable-admission-plugins', 'ServiceAccount'],
  ])
  const url = `https://127.0.0.1:${port}`
  const caFile = join(dir, 'apiserver.crt')
  while (!existsSync(caFile) || readFileSync(caFile).length === 0) {
    await server.alive()
  }
  const agent = new Agent({ connect: { ca: readFileSync(caFile) } })
  t.teardown(() => agent.destroy())
  const call: Kubernetes['call'] = async (method, path, body, token = administrator) => {
    const { statusCode, body: answer } = await request(`${url}${path}`, {
      method,
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: statusCode, text: await answer.text() }
  }
  while ((await call('GET', '/readyz').catch(() => undefined))?.status !== 200) {
    await server.alive()
  }
  return {
    url,
    caFile,
    call,
    async collectionOf({ apiVersion, kind, metadata }) {
      const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
      const known: unknown = JSON.parse((await call('GET', root)).text)
      const found = Value.Check(resources, known)
        ? known.resources.find((each) => each.kind === kind && !each.name.includes('/'))
        : undefined
      if (found === undefined) {
        throw new Error(`Kubernetes does not know ${kind} of ${apiVersion}`)
      }
      return `${root}/namespaces/${metadata.namespace ?? 'default'}/${found.name}`
    },
  }
}

/** Starts a program that ends with the test. `alive` waits a moment, and throws when it has ended. */
function start(t: Test, program: string, args: readonly string[]) {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = `${output}${text}`.slice(-10_000)
  })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    async alive() {
      await new Promise((resolve) => setTimeout(resolve, 50))
      if (child.exitCode !== null) {
        throw new Error(`${program} ended: ${output}`)
      }
    },
  }
}
