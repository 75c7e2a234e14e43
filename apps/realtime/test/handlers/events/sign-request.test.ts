import { createHmac } from 'node:crypto'
import t from 'tap'
import { signRequest } from '../../../src/handlers/events/sign-request.js'

t.test('signs id, time and body as Standard Webhooks says', async (t) => {
  const signed = signRequest('secret', 'run.1', '{"events":[]}', 1_796_000_000_999)
  const mac = createHmac('sha256', 'secret')
    .update('run.1.1796000000.{"events":[]}')
    .digest('base64')
  t.same(signed, {
    'webhook-id': 'run.1',
    'webhook-timestamp': '1796000000',
    'webhook-signature': `v1,${mac}`,
  })
  t.same(signRequest(undefined, 'run.1', '{}'), {})
})
