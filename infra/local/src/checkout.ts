import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the checkout, absolute; the same from `src/` and from `dist/`. */
export const checkout = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '')

/** The file that starts one of our services. */
export function mainOf(app: 'auth' | 'realtime'): string {
  return join(checkout, 'apps', app, 'dist', 'main.js')
}
