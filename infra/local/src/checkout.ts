import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute path of the checkout's root. */
export const checkout = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '')

export type App = 'auth' | 'realtime'

/** Returns the compiled program of the service. It changes with each of its modules. */
export function mainOf(app: App): string {
  return join(checkout, 'apps', app, 'dist', 'main.js')
}

/** Returns the bundle of the service, as a deployment runs it. */
export function bundleOf(app: App): string {
  return join(checkout, 'apps', app, 'bundle', 'main.mjs')
}
