import { run } from '@portcullis/service'
import { config } from './config/config.js'

await run({
  service: 'realtime',
  environment: process.env,
  config,
  buildApp: async (settings) => {
    // With WORKERS above 1 the primary process does not need it.
    const { buildApp } = await import('./app.js')
    return buildApp(settings)
  },
  closeDeadlineMs: ({ CLOSE_DEADLINE_MS }) => CLOSE_DEADLINE_MS + 2000,
  // A default name has a random part; a worker that starts again takes over its own name.
  shared: ({ NODE_NAME }) => ({ NODE_NAME }),
})
