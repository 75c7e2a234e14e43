import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Teardown } from '@portcullis/local'
import type { Image } from './build-image.js'

export type Settings = Readonly<Record<string, string>>

/** Starts a program in the image, by default its own, as the image's user. */
function start(image: Image, settings: Settings, command: readonly string[]): ChildProcess {
  const { root, workdir, env, user } = image
  const inside = (word: string) => (word.startsWith('/') ? join(root, word) : word)
  const [program = '', ...args] = command.map(inside)
  const [uid, gid] = user.split(':').map(Number)
  return spawn(program, args, {
    cwd: join(root, workdir),
    env: { ...env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Only root can become another user.
    ...(process.getuid?.() === 0 && uid !== undefined && gid !== undefined ? { uid, gid } : {}),
  })
}

/** Collects what the process prints. */
function outputOf(child: ChildProcess): () => string {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return () => output
}

/** Runs a command of the image. Resolves when it has ended. */
export async function runInImage(
  image: Image,
  settings: Settings,
  command: readonly string[],
): Promise<{ code: number | null; output: string }> {
  const child = start(image, settings, command)
  const output = outputOf(child)
  const [code] = await once(child, 'close')
  return { code, output: output() }
}

/** Starts a service's image. Resolves when it is ready; the service stops with the test. */
export async function startImage(
  t: Teardown,
  image: Image,
  url: string,
  settings: Settings,
): Promise<void> {
  const child = start(image, settings, [...image.entrypoint, ...image.command])
  const output = outputOf(child)
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  while (!(await isReady(url))) {
    if (child.exitCode !== null) {
      throw new Error(`${image.root} ended with ${child.exitCode}: ${output()}`)
    }
  }
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/ready`).catch(() => undefined)
  await answer?.text()
  return answer?.status === 200
}
