import { failToStart, run, serverTls } from '@portcullis/service'
import { buildApp } from './app.js'
import { config } from './config/config.js'

try {
  const settings = config(process.env)
  const app = await buildApp(settings)
  await run(app, {
    host: settings.HOST,
    port: settings.PORT,
    internal: { host: settings.INTERNAL_HOST, port: settings.INTERNAL_PORT },
    closeDeadlineMs: settings.CLOSE_DEADLINE_MS + 2000,
    renewTls: () => serverTls(config(process.env)),
  })
} catch (error) {
  failToStart(error)
}
