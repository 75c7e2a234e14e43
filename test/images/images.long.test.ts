import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '@portcullis/local'
import getPort from 'get-port'
import t from 'tap'
import { buildImages, type Image } from './build-image.js'
import { runInImage, startImage } from './start-image.js'

/** The Node of this test, and that of the images: `NODE_26` names its program. */
const programs = [process.execPath, process.env['NODE_26']]

const dir = mkdtempSync(join(tmpdir(), 'portcullis-images-'))
chmodSync(dir, 0o755)
t.teardown(() => {
  spawnSync('chmod', ['-R', 'u+w', dir])
  rmSync(dir, { recursive: true, force: true })
})
const images = await buildImages(dir)
const [auth, realtime, cli] = [imageOf('auth'), imageOf('realtime'), imageOf('cli')]

function imageOf(target: string): Image {
  const image = images.get(target)
  if (image === undefined) {
    throw new Error(`the Dockerfile has no target ${target}`)
  }
  return image
}

/** Returns the paths of all files and folders of the image. */
const filesOf = ({ root }: Image) => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()

/** Makes a folder that the image's user may write to, as a mounted volume. */
function volume(image: Image, path: string): string {
  const folder = join(image.root, path)
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o700)
  if (process.getuid?.() === 0) {
    chownSync(folder, ...ids(image))
  }
  return folder
}

const ids = ({ user }: Image): [number, number] => {
  const [uid = Number.NaN, gid = Number.NaN] = user.split(':').map(Number)
  return [uid, gid]
}

/** Puts Node where the base image has it, and takes away all write permissions, as `--read-only` does. */
function finish(image: Image, node: string): void {
  spawnSync('chmod', ['-R', 'u+w', image.root])
  mkdirSync(join(image.root, 'nodejs/bin'), { recursive: true })
  copyFileSync(node, join(image.root, 'nodejs/bin/node'))
  spawnSync('chmod', ['-R', 'a-w,a+rX', image.root])
}

t.test('an image holds a bundle, runs as a numbered user, and has no packages', async (t) => {
  for (const image of [auth, realtime, cli]) {
    t.match(image.user, /^[1-9]\d*:[1-9]\d*$/)
    const files = filesOf(image)
    t.ok(files.includes('portcullis/main.mjs'), files.slice(0, 20).join(' '))
    t.same(
      files.filter((path) => /(?:^|\/)node_modules\/(?!@fastify\/swagger-ui)/.test(path)),
      files.filter((path) => path.endsWith('node_modules/@fastify')),
      'no installed package but the page of /docs',
    )
    t.same(
      files.filter((path) => /\.ts$|tsconfig|package-lock/.test(path)),
      [],
    )
  }
})

for (const node of programs) {
  const name = node === undefined ? 'Node 26' : spawnSync(node, ['--version']).stdout.toString()
  const skip = node === undefined ? 'NODE_26 names no program' : false

  t.test(`the images work together on ${name.trim()}, and write nothing`, { skip }, async (t) => {
    for (const image of [auth, realtime, cli]) {
      finish(image, node ?? '')
    }
    const secrets = volume(auth, 'run/secrets')
    const registration = volume(auth, 'registration')
    const work = volume(cli, 'work')
    const before = [auth, realtime, cli].map(filesOf)
    const redis = await startServer({
      dir: mkdtempSync(join(dir, 'redis-')),
      args: () => ['--save', ''],
    })
    t.teardown(() => redis.stop())
    const ports = { auth: await getPort(), authInternal: await getPort() }
    const nodePorts = { port: await getPort(), internal: await getPort() }
    const authUrl = `http://127.0.0.1:${ports.auth}`
    const nodeUrl = `http://127.0.0.1:${nodePorts.port}`
    const code = randomBytes(32).toString('base64url')
    const codeFile = join(secrets, 'admin_code')
    writeFileSync(codeFile, code, { mode: 0o644 })

    await startImage(t, auth, authUrl, {
      PORT: `${ports.auth}`,
      INTERNAL_PORT: `${ports.authInternal}`,
      REDIS_URL: redis.url,
      ISSUER: authUrl,
      ADMIN_REGISTRATION_CODE_FILE: codeFile,
      KEY_ENCRYPTION_SECRET: randomBytes(32).toString('base64url'),
      SHUTDOWN_DELAY_MS: '0',
    })
    const kept = join(registration, 'realtime.code')
    const register = {
      AUTH_URL: authUrl,
      ADMIN_REGISTRATION_CODE_FILE: codeFile,
      CODE_FILE: kept,
    }
    const command = [...auth.entrypoint, 'register-identity.mjs']
    const registered = await runInImage(auth, register, command)
    t.equal(registered.code, 0, registered.output)
    await startImage(t, realtime, nodeUrl, {
      PORT: `${nodePorts.port}`,
      INTERNAL_PORT: `${nodePorts.internal}`,
      REDIS_URL: redis.url,
      REDIS_PREFIX: 'nodes',
      AUTH_URL: authUrl,
      REGISTRATION_CODE: readFileSync(kept, 'utf8').trim(),
      SHUTDOWN_DELAY_MS: '0',
    })
    for (const [image, port] of [
      [auth, ports.authInternal],
      [realtime, nodePorts.internal],
    ] as const) {
      const check = (internal: number) =>
        runInImage(image, { INTERNAL_PORT: `${internal}` }, image.healthCheck)
      t.equal((await check(port)).code, 0, 'the health check of a running service')
      t.equal((await check(await getPort())).code, 1, 'the health check without a service')
    }

    const portcullis = async (...args: string[]) => {
      const { code: exit, output } = await runInImage(
        cli,
        {
          PORTCULLIS_AUTH_URL: authUrl,
          PORTCULLIS_REALTIME_URL: nodeUrl,
          PORTCULLIS_IDENTITY: 'admin',
          PORTCULLIS_REGISTRATION_CODE: code,
        },
        [...cli.entrypoint, ...args],
      )
      t.equal(exit, 0, `${args.join(' ')}: ${output}`)
      return output
    }
    const issue = ['token', 'issue', '--subject', 'ada', '--scope', 'subscribe:news']
    await portcullis(...issue, '--out', 'ada.token')
    t.match(readFileSync(join(work, 'ada.token'), 'utf8'), /^ey/)
    t.match(await portcullis('publish', 'news', '"hello"'), 'published into news')
    t.match(await portcullis('revoke', '--subject', 'ada', '--yes'), 'complete')

    const writes = filesOf(auth).filter((path) => !before[0]?.includes(path))
    t.same(writes, ['registration/realtime.code', 'run/secrets/admin_code'])
    t.same(filesOf(realtime), before[1])
    t.same(
      filesOf(cli).filter((path) => !before[2]?.includes(path)),
      ['work/ada.token'],
    )
    rmSync(kept)
    rmSync(codeFile)
    rmSync(join(work, 'ada.token'))
  })
}
