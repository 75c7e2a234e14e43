import type { Api } from '@portcullis/local'
import type { Recorder } from '../faults/record/recorder.js'
import { Revocation } from '../faults/record/revocation.js'
import { until } from '../faults/until.js'

/** Revokes a client's token; retries until auth confirms, as a caller would. */
export function revoke(api: Api, client: Recorder, replicas: number): Promise<Revocation> {
  const order = { token: client.token.jti, replicas }
  return until(`the revocation of ${client.name} is accepted`, () =>
    Revocation.commit(api, order, [client]).catch(() => undefined),
  )
}
