import { type ChildProcess, spawn } from 'node:child_process'

/** A check of the whole checkout that runs no test. */
export interface Check {
  name: string
  command: string
  args: readonly string[]
}

export const checks: readonly Check[] = [
  { name: 'types', command: process.execPath, args: ['infra/build/build.js', '--types'] },
  { name: 'lint', command: 'npm', args: ['run', '--silent', 'lint'] },
]

export interface CheckResult {
  name: string
  passed: boolean
  /** What it has printed. */
  output: string
  ms: number
}

export interface CheckRun {
  readonly ended: Promise<CheckResult>
  stop(): void
}

/** Runs a check in the root of the checkout. */
export function runCheck({ name, command, args }: Check, checkout: string): CheckRun {
  const started = performance.now()
  const child = spawn(command, [...args], { cwd: checkout, stdio: ['ignore', 'pipe', 'pipe'] })
  return { ended: finish(child, name, started), stop: () => child.kill('SIGTERM') }
}

function finish(child: ChildProcess, name: string, started: number): Promise<CheckResult> {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return new Promise((resolve) => {
    const settle = (passed: boolean) =>
      resolve({ name, passed, output, ms: Math.round(performance.now() - started) })
    child.once('error', (error) => {
      output += error.message
      settle(false)
    })
    child.once('close', (code) => settle(code === 0))
  })
}
