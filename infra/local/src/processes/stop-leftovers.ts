import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { LocalRun } from '@portcullis/contracts/local'
import { type App, bundleOf, mainOf } from '../checkout.js'
import type { State } from '../state/state.js'

/**
 * Stops services that an earlier run left when it and its guard were killed: processes whose command line
 * names a program of this checkout. Call it after `holdRun`, so that no other run is active.
 */
export async function stopLeftovers(state: State): Promise<void> {
  const text = state.read('local.json')
  if (text === undefined) {
    return
  }
  const { auth, realtime } = pidsOf(text)
  const leftover = [
    ...auth.filter((pid) => runs(pid, 'auth')),
    ...realtime.filter((pid) => runs(pid, 'realtime')),
  ]
  for (const pid of leftover) {
    signal(pid, 'SIGTERM')
  }
  for (let tries = 0; tries < 100 && leftover.some((pid) => signal(pid, 0)); tries += 1) {
    await delay(50)
  }
  for (const pid of leftover) {
    signal(pid, 'SIGKILL')
  }
}

function pidsOf(text: string): { auth: number[]; realtime: number[] } {
  try {
    const { pids } = JSON.parse(text) as LocalRun
    return { auth: [pids.auth], realtime: pids.realtime }
  } catch {
    return { auth: [], realtime: [] }
  }
}

function runs(pid: number, app: App): boolean {
  try {
    const command =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        : execFileSync('ps', ['-o', 'command=', '-p', `${pid}`], { encoding: 'utf8' })
    return [bundleOf(app), mainOf(app)].some((program) => command.includes(program))
  } catch {
    return false
  }
}

/** Sends a signal; 0 only checks. Returns false if the process does not exist. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
