import envPaths from 'env-paths'
import { exitCodes } from './errors.js'
import { run } from './run.js'

const { stdin, stdout, stderr, env } = process

// EPIPE: the reader of a pipe has closed it (`| head`), which is not a failure.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed)
})

process.exitCode = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  configDir: envPaths('portcullis', { suffix: '' }).config,
  env,
  stdin,
  stdout,
  stderr,
  onStop(listener) {
    const signals = ['SIGINT', 'SIGTERM'] as const
    for (const signal of signals) {
      process.once(signal, listener)
    }
    return () => {
      for (const signal of signals) {
        process.off(signal, listener)
      }
    }
  },
})
