import type { Api } from '@portcullis/local'
import type { Recorder } from '../faults/recorder.js'
import { Revocation } from '../faults/revocation.js'
import { until } from '../faults/until.js'

/** Revokes a client's token, again and again until it is answered, as its caller would. */
export function revoke(api: Api, client: Recorder, replicas: number): Promise<Revocation> {
  const order = { token: client.token.jti, replicas }
  return until(`the revocation of ${client.name} is taken`, () =>
    Revocation.commit(api, order, [client]).catch(() => undefined),
  )
}
