/** `backplane_unavailable`: Redis cannot be reached now; the same call may work later. */
export type HubErrorCode = 'backplane_unavailable'

export class HubError extends Error {
  readonly code: HubErrorCode
  constructor(code: HubErrorCode, options?: ErrorOptions) {
    super('the backplane cannot be reached', options)
    this.name = 'HubError'
    this.code = code
  }
}
