import { failToStart, run } from '@portcullis/service'
import { buildApp } from './app.js'
import { config } from './config.js'

try {
  const settings = config(process.env)
  const app = await buildApp(settings)
  await run(app, {
    host: settings.HOST,
    port: settings.PORT,
    closeDeadlineMs: settings.CLOSE_DEADLINE_MS,
  })
} catch (error) {
  failToStart(error)
}
