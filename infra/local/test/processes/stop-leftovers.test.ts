import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { bundleOf, mainOf } from '../../src/checkout.js'
import { stopLeftovers } from '../../src/processes/stop-leftovers.js'
import { openState } from '../../src/state/state.js'

/** Starts a process whose command line names `program`, and which waits until it is killed. */
async function processOf(t: Test, program: string) {
  const script = 'process.stdout.write("up"); setInterval(() => {}, 1000)'
  const child = spawn(process.execPath, ['-e', script, program])
  const ended = once(child, 'exit')
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return { child, pid: child.pid ?? 0, ended }
}

t.test('stops what an earlier run left, and no other process', async (t) => {
  const state = openState(t.testdir())
  const auth = await processOf(t, bundleOf('auth'))
  const watched = await processOf(t, mainOf('realtime'))
  const stranger = await processOf(t, '/elsewhere/main.mjs')
  const pids = { auth: auth.pid, realtime: [watched.pid, stranger.pid] }
  state.write('local.json', JSON.stringify({ pids }))
  await stopLeftovers(state)
  t.same(await auth.ended, [null, 'SIGTERM'], 'the bundle of npm start')
  t.same(await watched.ended, [null, 'SIGTERM'], 'the program of npm run dev')
  t.equal(stranger.child.signalCode, null, 'the number belongs to another program now')
})
