// What the package `tap` exports, as far as our tests use it. `infra/local/src/runner` runs them.
import { tap } from '@tapjs/core'

export { Test } from '@tapjs/test'

export const t = tap()
export default t
