import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundleOf, startAuth } from '@portcullis/local'
import type { Column, Figure, Sample, Setting, Side } from '../figure.js'
import { prefix, startInstallation } from '../installation.js'
import { cpuMicroseconds, parseTimes } from '../measure/cpu.js'
import { startPeerRedis } from '../peers/peer-redis.js'
import { startServer } from '../servers/start-server.js'
import { Stage } from '../stage.js'

const run = promisify(execFile)
const columns: Column[] = [
  { key: 'cpu', title: 'CPU ms', digits: 0 },
  { key: 'time', title: 'time ms', digits: 0 },
]
/** The command line's program. */
const command = fileURLToPath(new URL('../../../../node_modules/.bin/portcullis', import.meta.url))
/** Runs of a command in one round, whose CPU is counted in steps of 10 ms. */
const runs = 5

/** CPU of a process until it is ready. */
export const start: Figure = async (setting) => {
  const service = (name: string, begin: Begin): Side => ({
    name,
    run: () => untilReady(setting, begin),
  })
  return {
    title: 'Start: CPU of a process until it is ready',
    columns,
    cases: [
      { name: 'auth', sides: [service('Portcullis', auth), service('oidc-provider', provider)] },
      { name: 'node', sides: [service('Portcullis', node), service('socket.io', socketIo)] },
      {
        name: 'portcullis --help',
        sides: [
          { name: 'Portcullis', run: () => ofCommand([command, '--help']) },
          { name: 'an empty script', run: () => ofCommand(['-e', '0']) },
        ],
      },
    ],
    rounds: 3,
    warmUp: 0,
    conditions: [
      'auth and the node: until they are ready to serve; the node has joined auth. socket.io: with its Redis adapter.',
      `portcullis --help: the mean of ${runs} runs in a round, until the command has ended. An empty script: node -e 0.`,
    ],
  }
}

/** Starts what a process needs; returns a function that starts it and returns its id when it is ready. */
type Begin = (stage: Stage) => Promise<() => Promise<number>>

const auth: Begin = async (stage) => {
  const redis = await startPeerRedis(stage, { durable: true })
  return async () => {
    const started = await startAuth({
      redisUrl: redis.url,
      prefix,
      program: bundleOf('auth'),
    })
    await stage.add(() => started.stop())
    return started.pid
  }
}

const node: Begin = async (stage) => {
  const { startNode } = await startInstallation(stage, { nodes: 0 })
  return async () => (await startNode()).pid
}

const provider: Begin = async (stage) => {
  const redis = await startPeerRedis(stage, { durable: true })
  return async () => (await startServer(stage, 'oidc-server', { args: [redis.url, 'secret'] })).pid
}

const socketIo: Begin = async (stage) => {
  const redis = await startPeerRedis(stage)
  return async () => (await startServer(stage, 'socket-io', { args: [redis.url] })).pid
}

async function untilReady(setting: Setting, begin: Begin): Promise<Sample> {
  const stage = new Stage()
  await setting.stage.add(() => stage.close())
  try {
    const startIt = await begin(stage)
    const startedAt = performance.now()
    const pid = await startIt()
    return { time: performance.now() - startedAt, cpu: (await cpuMicroseconds(pid)) / 1000 }
  } finally {
    await stage.close()
  }
}

/** Runs Node with these arguments, several times in one shell, which counts the CPU of its children. */
async function ofCommand(args: readonly string[]): Promise<Sample> {
  const startedAt = performance.now()
  const repeated = `for run in ${Array.from({ length: runs }, (_, run) => run).join(' ')}; do "$@" >/dev/null || exit 1; done; times`
  const { stdout } = await run('/bin/sh', ['-c', repeated, 'sh', process.execPath, ...args])
  return {
    time: (performance.now() - startedAt) / runs,
    cpu: (parseTimes(stdout) * 1000) / runs,
  }
}
