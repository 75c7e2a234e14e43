import envPaths from 'env-paths'
import { CommandTokens } from './api/command-tokens.js'
import { exitCodes } from './errors.js'
import { run, stoppedCode } from './run.js'

const { stdin, stdout, stderr, env } = process
const tokens = new CommandTokens()
let received: NodeJS.Signals = 'SIGTERM'

// EPIPE: the reader of a pipe has closed it (`| head`), which is not a failure.
stdout.on('error', async (error: NodeJS.ErrnoException) => {
  await tokens.revoke()
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed)
})

const code = await run(
  process.argv.slice(2),
  {
    cwd: process.cwd(),
    configDir: envPaths('portcullis', { suffix: '' }).config,
    env,
    stdin,
    stdout,
    stderr,
    onStop(listener) {
      const signals = ['SIGINT', 'SIGTERM'] as const
      const onSignal = (signal: NodeJS.Signals) => {
        received = signal
        listener()
      }
      for (const signal of signals) {
        process.once(signal, onSignal)
      }
      return () => {
        for (const signal of signals) {
          process.off(signal, onSignal)
        }
      }
    },
  },
  tokens,
)
if (code === stoppedCode) {
  // The shell sees the signal, and ends a loop that runs this command.
  process.kill(process.pid, received)
} else {
  process.exitCode = code
}
