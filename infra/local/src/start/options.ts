import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checkout } from '../checkout.js'
import { LocalError } from '../errors.js'

export interface StartOptions {
  /** Number of realtime nodes. */
  realtime: number
  authPort: number
  /** Port of the first node. The others use the ports after it. */
  realtimePort: number
  /** Processes of auth and of each node: a number or `auto`; undefined leaves it to WORKERS. */
  workers: string | undefined
  /** Absolute path of the state directory. */
  dir: string
  /** Rebuild changed files and restart the services that use them. */
  watch: boolean
}

export const usage = `npm start [-- options]
  --realtime N        how many realtime nodes (2)
  --auth-port N       auth's port (4000)
  --realtime-port N   the first node's port (8000); the others follow it
  --workers N         processes of auth and of each node, or auto: one on each core (1)
  --dir PATH          where identities, tokens and logs are kept (.portcullis)
  --watch             rebuild what changes, and restart what it concerns (npm run dev)`

/**
 * Reads the options of `npm start`.
 *
 * @throws LocalError `bad_arguments` saying which one to change.
 */
export function readStartOptions(args: readonly string[]): StartOptions | 'help' {
  const values = parse(args)
  if (values.help) {
    return 'help'
  }
  const realtime = number('--realtime', values.realtime, 1, 64)
  return {
    realtime,
    authPort: number('--auth-port', values['auth-port'], 1, 65_535),
    realtimePort: number('--realtime-port', values['realtime-port'], 1, 65_536 - realtime),
    workers: workers(values.workers),
    dir: values.dir === undefined ? join(checkout, '.portcullis') : resolve(values.dir),
    watch: values.watch,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        realtime: { type: 'string', default: '2' },
        'auth-port': { type: 'string', default: '4000' },
        'realtime-port': { type: 'string', default: '8000' },
        workers: { type: 'string' },
        dir: { type: 'string' },
        watch: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    const line = error instanceof Error ? (error.message.split(/\.? To specify/)[0] ?? '') : ''
    throw new LocalError('bad_arguments', `${line}; npm start -- --help lists the options`)
  }
}

function workers(text: string | undefined): string | undefined {
  if (text === undefined || text === 'auto' || /^([1-9]|[1-5]\d|6[0-4])$/.test(text)) {
    return text
  }
  throw new LocalError('bad_arguments', '--workers takes a number from 1 to 64, or auto')
}

function number(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) {
    return value
  }
  throw new LocalError('bad_arguments', `${option} takes a number from ${least} to ${most}`)
}
