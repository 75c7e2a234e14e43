import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute path of the checkout's root. */
export const checkout = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '')

/** Returns the file that starts the service. */
export function mainOf(app: 'auth' | 'realtime'): string {
  return join(checkout, 'apps', app, 'dist', 'main.js')
}
