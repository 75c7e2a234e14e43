import type { TAP } from '@tapjs/core'

export { Test } from '@tapjs/test'

export declare const t: TAP
export default t
