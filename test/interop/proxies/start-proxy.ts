import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeAuthority, type Teardown } from '@portcullis/local'
import getPort from 'get-port'
import { Client } from 'undici'

export type ProxyProgram = 'caddy' | 'haproxy' | 'nginx'

export interface StartProxyOptions {
  program: ProxyProgram
  /** Absolute path of the program. */
  path: string
  /** URLs of two nodes and of two auth instances, or twice of one. */
  nodes: readonly [string, string]
  auths: readonly [string, string]
}

export interface ReverseProxy {
  /** `https://127.0.0.1:port` */
  readonly url: string
  /** `http://127.0.0.1:port`, where clients are redirected. */
  readonly plainUrl: string
  /** `wss://127.0.0.1:port/connection/websocket` */
  readonly wsUrl: string
  /** The authority of the proxy's certificate, in PEM. */
  readonly ca: string
  /** Returns its access log, and what it has printed. */
  log(): string
}

const shipped = fileURLToPath(new URL('../../../infra/proxies/', import.meta.url))

/**
 * Starts a proxy with the configuration of `infra/proxies`, in which only addresses and paths differ.
 * Resolves when it forwards requests to auth.
 */
export async function startProxy(t: Teardown, options: StartProxyOptions): Promise<ReverseProxy> {
  const dir = await mkdtemp(join(tmpdir(), `portcullis-${options.program}-`))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const authority = await makeAuthority('proxies')
  const { cert, key } = await authority.sign('server', 'proxy')
  await writeFile(join(dir, 'portcullis.crt'), cert)
  await writeFile(join(dir, 'portcullis.key'), key)
  await writeFile(join(dir, 'portcullis.pem'), `${cert}\n${key}`)
  const [port, plainPort] = [await getPort(), await getPort()]
  const { args } = await configure(dir, options, { port, plainPort })
  const child = spawn(options.path, args, {
    // Caddy keeps a copy of its configuration there.
    env: { ...process.env, XDG_CONFIG_HOME: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  const url = `https://127.0.0.1:${port}`
  const client = new Client(url, { connect: { ca: authority.cert } })
  t.teardown(() => client.destroy())
  while (!(await isServing(client))) {
    if (child.exitCode !== null) {
      throw new Error(`${options.program} ended: ${output}`)
    }
  }
  return {
    url,
    plainUrl: `http://127.0.0.1:${plainPort}`,
    wsUrl: `wss://127.0.0.1:${port}/connection/websocket`,
    ca: authority.cert,
    log: () => {
      const file = join(dir, 'portcullis.log')
      return existsSync(file) ? output + readFileSync(file, 'utf8') : output
    },
  }
}

async function isServing(client: Client): Promise<boolean> {
  const answer = await client
    .request({ method: 'GET', path: '/.well-known/oauth-authorization-server' })
    .catch(() => undefined)
  await answer?.body.dump()
  return answer?.statusCode === 200
}

/** Writes the configuration into `dir`, and returns the arguments of the program. */
async function configure(
  dir: string,
  { program, nodes, auths }: StartProxyOptions,
  { port, plainPort }: { port: number; plainPort: number },
): Promise<{ args: string[] }> {
  const hosts = [...nodes, ...auths].map((url) => new URL(url).host)
  const documented = ['10.0.0.21:8000', '10.0.0.22:8000', '10.0.0.11:4000', '10.0.0.12:4000']
  const common = documented.map((address, index): [string, string] => [address, hosts[index] ?? ''])
  const file = join(dir, 'portcullis.cfg')
  if (program === 'haproxy') {
    const text = await readFile(join(shipped, 'haproxy.cfg'), 'utf8')
    await writeFile(
      file,
      replaceEach(text, [
        ...common,
        ['bind :80\n', `bind 127.0.0.1:${plainPort}\n`],
        ['bind :443 ', `bind 127.0.0.1:${port} `],
        ['/etc/haproxy/', `${dir}/`],
      ]),
    )
    return { args: ['-db', '-f', file] }
  }
  if (program === 'caddy') {
    const text = await readFile(join(shipped, 'Caddyfile'), 'utf8')
    const own = `admin off\nhttp_port ${plainPort}\nhttps_port ${port}\nstorage file_system ${dir}`
    const name = '{$PORTCULLIS_HOST:rt.example.com} {'
    const site = `https://127.0.0.1:${port} {\ntls ${dir}/portcullis.crt ${dir}/portcullis.key`
    await writeFile(
      file,
      replaceEach(text, [...common, ['grace_period 10s', `grace_period 1s\n${own}`], [name, site]]),
    )
    return { args: ['run', '--config', file, '--adapter', 'caddyfile'] }
  }
  const text = await readFile(join(shipped, 'nginx.conf'), 'utf8')
  await writeFile(
    file,
    replaceEach(text, [
      ...common,
      ['listen 80;', `listen 127.0.0.1:${plainPort};`],
      ['listen 443 ', `listen 127.0.0.1:${port} `],
      ['/etc/nginx/portcullis.crt', `${dir}/portcullis.crt`],
      ['/etc/nginx/portcullis.key', `${dir}/portcullis.key`],
      ['/var/log/nginx/portcullis.log', `${dir}/portcullis.log`],
    ]),
  )
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${dir}/${name};`,
  )
  const main = join(dir, 'main.conf')
  await writeFile(
    main,
    `daemon off; pid ${dir}/nginx.pid; error_log stderr;
events { worker_connections 4096; }
http { ${temporary.join(' ')} include ${file}; }\n`,
  )
  return { args: ['-p', dir, '-c', main] }
}

/** @throws Error if a text to be replaced is missing, because the configuration has changed. */
function replaceEach(text: string, pairs: readonly [string, string][]): string {
  let replaced = text
  for (const [from, to] of pairs) {
    if (!replaced.includes(from)) {
      throw new Error(`the configuration has no ${from}`)
    }
    replaced = replaced.replaceAll(from, to)
  }
  return replaced
}
