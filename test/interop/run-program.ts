import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'

export interface ProgramOptions {
  /** Absolute path. */
  command: string
  args: readonly string[]
  /** Variables besides those of our environment. */
  env: Readonly<Record<string, string>>
}

/**
 * Runs a program that prints `ok <what holds>` for each thing that it has checked. Each becomes a passed
 * assertion; every other end than exit code 0 is a failed one, with what the program has printed.
 */
export async function runProgram(t: Test, { command, args, env }: ProgramOptions): Promise<void> {
  const child = spawn(command, args, {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const [code] = await once(child, 'close')
  const checks = output
    .split('\n')
    .flatMap((line) => (line.startsWith('ok ') ? [line.slice(3)] : []))
  for (const check of checks) {
    t.pass(check)
  }
  t.equal(code, 0, 'the program ends without an error', {
    output: output.split('\n'),
    errors: errors.trim().split('\n').slice(-5),
  })
  t.ok(checks.length > 0, 'the program has checked something')
}
