import { parseArgs } from 'node:util'

/** In the order in which a whole run measures them. */
export const figureNames = [
  'admission',
  'storm',
  'introspection',
  'publish',
  'small-channels',
  'fanout',
  'memory',
  'revocation',
  'start',
  'nodes',
  'channels',
  'inventory',
] as const
export type FigureName = (typeof figureNames)[number]

/** A server of the user that speaks the client protocol or the server API of Portcullis. */
export interface Against {
  /** WebSocket URLs of the client protocol, one for each node. */
  sockets: readonly string[]
  /** Base URLs of the server API, to which `/publish` and `/disconnect` are appended. */
  apis: readonly string[]
  /** Token for the `connect` command. */
  token?: string
  /** Sent to the server API as `X-API-Key`. */
  apiKey?: string
  /** Server processes on this machine; empty when their CPU cannot be read. */
  pids: readonly number[]
}

export interface Options {
  figures: readonly FigureName[]
  quick: boolean
  /** JSON file for the figures. */
  out: string
  /** Folder for plots, and for the figures that the document shows. */
  plots?: string
  against?: Against
}

export const usage = `usage: npm run bench -- [FIGURE…] [options]

figures  ${figureNames.join(', ')}; all without a name

  --quick                  small counts: shows that everything runs
  --out FILE               JSON file (.portcullis/bench.json)
  --plots FOLDER           writes plots and figures.json there, and the figures into FOLDER.md
  --against URL            compares a server too: ws://… of the client protocol, http://… of the
                           server API; again for more nodes
  --against-token TOKEN    token for its connect command
  --against-api-key KEY    key of its server API
  --against-pid PID[,PID]  its processes on this machine; without them only times are compared`

/** Invalid arguments; the message says what to change. */
export class UsageError extends Error {
  readonly code = 'USAGE'
}

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = read(args)
  const { quick, out, plots } = values
  const figures = positionals.length === 0 ? figureNames : positionals.map(figureOf)
  const against = againstOf(values)
  return {
    figures,
    quick,
    out,
    ...(plots === undefined ? {} : { plots: plots.replace(/\/+$/, '') }),
    ...(against === undefined ? {} : { against }),
  }
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        out: { type: 'string', default: '.portcullis/bench.json' },
        plots: { type: 'string' },
        against: { type: 'string', multiple: true },
        'against-token': { type: 'string' },
        'against-api-key': { type: 'string' },
        'against-pid': { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function figureOf(text: string): FigureName {
  const name = figureNames.find((known) => known === text)
  if (name === undefined) {
    throw new UsageError(`unknown figure "${text}"; choose ${figureNames.join(', ')}`)
  }
  return name
}

function againstOf(values: ReturnType<typeof read>['values']): Against | undefined {
  const { against: urls, 'against-token': token, 'against-api-key': apiKey } = values
  const pids = (values['against-pid'] ?? '').split(',').filter(Boolean).map(pidOf)
  if (urls === undefined) {
    if (token !== undefined || apiKey !== undefined || pids.length > 0) {
      throw new UsageError(
        '--against-token, --against-api-key and --against-pid need --against URL',
      )
    }
    return undefined
  }
  const sockets = urls.filter((url) => /^wss?:/.test(url))
  const apis = urls.filter((url) => /^https?:/.test(url)).map((url) => url.replace(/\/+$/, ''))
  if (sockets.length + apis.length < urls.length) {
    throw new UsageError('--against takes URLs that begin with ws://, wss://, http:// or https://')
  }
  return {
    pids,
    sockets,
    apis,
    ...(token === undefined ? {} : { token }),
    ...(apiKey === undefined ? {} : { apiKey }),
  }
}

function pidOf(text: string): number {
  const pid = Number(text)
  if (!Number.isInteger(pid) || pid < 1) {
    throw new UsageError(`--against-pid takes process ids; "${text}" is not a process id`)
  }
  return pid
}
