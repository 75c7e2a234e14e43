import { run } from '@portcullis/service'
import { config } from './config.js'

await run({
  service: 'auth',
  environment: process.env,
  config,
  buildApp: async (settings) => {
    // With WORKERS above 1 the primary process does not need it.
    const { buildApp } = await import('./app.js')
    return buildApp(settings)
  },
  closeDeadlineMs: ({ CLOSE_DEADLINE_MS }) => CLOSE_DEADLINE_MS,
})
