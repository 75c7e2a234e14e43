import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Teardown } from '@portcullis/local'
import getPort from 'get-port'

const rules = fileURLToPath(new URL('../../../infra/prometheus/rules.yml', import.meta.url))

export interface StartPrometheusOptions {
  /** Absolute path of the program. */
  path: string
  /** `host:port` of each target, by job. */
  targets: Readonly<Record<string, readonly string[]>>
}

export interface Prometheus {
  /** Returns `data` of an answer of the HTTP API. @throws Error with Prometheus' message */
  get(path: string, parameters?: Record<string, string>): Promise<unknown>
  /** Resolves when every target has been scraped and every rule evaluated since the call. */
  settled(): Promise<void>
}

interface Targets {
  activeTargets: { health: string; lastError: string; lastScrape: string }[]
}

interface Groups {
  groups: { lastEvaluation: string }[]
}

/** Starts a Prometheus with our rules, which scrapes every second. */
export async function startPrometheus(
  t: Teardown,
  { path, targets }: StartPrometheusOptions,
): Promise<Prometheus> {
  const dir = await mkdtemp(join(tmpdir(), 'portcullis-prometheus-'))
  const port = await getPort()
  const configuration = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [rules],
    scrape_configs: Object.entries(targets).map(([job, addresses]) => ({
      job_name: job,
      static_configs: [{ targets: addresses }],
    })),
  }
  // JSON is YAML.
  await writeFile(join(dir, 'prometheus.yml'), JSON.stringify(configuration))
  const child = spawn(
    path,
    [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  t.teardown(async () => {
    const ended = once(child, 'exit')
    if (child.kill('SIGKILL')) {
      await ended
    }
    await rm(dir, { recursive: true, force: true })
  })
  await serves(child.stderr)

  const get: Prometheus['get'] = async (route, parameters = {}) => {
    const query = new URLSearchParams(parameters)
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${route}?${query}`)
    const { status, data, error } = (await response.json()) as Record<string, unknown>
    if (status !== 'success') {
      throw new Error(`${parameters['query'] ?? route}: ${error}`)
    }
    return data
  }
  return { get, settled: () => settled(get, Date.now()) }
}

/** Resolves when the log says that Prometheus serves requests. @throws Error with the log when it ends */
async function serves(log: NodeJS.ReadableStream): Promise<void> {
  let text = ''
  for await (const chunk of log) {
    text += chunk
    if (text.includes('Server is ready to receive web requests')) {
      log.resume()
      return
    }
  }
  throw new Error(`Prometheus ended: ${text}`)
}

async function settled(get: Prometheus['get'], since: number): Promise<void> {
  for (;;) {
    const { activeTargets } = (await get('targets')) as Targets
    const { groups } = (await get('rules')) as Groups
    const scraped = activeTargets.every(({ lastScrape }) => Date.parse(lastScrape) > since)
    const broken = activeTargets.find(({ health }) => health === 'down')
    if (broken !== undefined) {
      throw new Error(`Prometheus cannot read a target: ${broken.lastError}`)
    }
    const evaluated = groups.every(({ lastEvaluation }) => Date.parse(lastEvaluation) > since)
    if (activeTargets.length > 0 && scraped && evaluated) {
      return
    }
  }
}
