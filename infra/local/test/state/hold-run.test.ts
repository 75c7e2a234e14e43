import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { holdRun } from '../../src/state/hold-run.js'

t.test('allows one run at a time in a directory', async (t) => {
  const dir = t.testdir()
  const release = await holdRun(dir)
  await t.rejects(holdRun(dir), {
    code: 'already_running',
    message: new RegExp(`already \\(process ${process.pid}\\)`),
  })
  await release()
  const again = await holdRun(dir)
  await again()
})

t.test('ignores a run that was killed', async (t) => {
  const dir = t.testdir()
  const listen = `require('net').createServer().listen(${JSON.stringify(join(dir, 'run.sock'))}, () => console.log('up'))`
  const killed = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(killed.stdout, 'data')
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  const release = await holdRun(dir)
  await release()
})
