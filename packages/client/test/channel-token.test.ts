import { UnauthorizedError } from 'centrifuge'
import * as protobuf from 'centrifuge/build/protobuf'
import t from 'tap'
import { channelToken } from '../src/channel-token.js'
import { token, tokenServer } from './fixtures/token-server.js'

t.test('asks the backend for a token of the channel', async (t) => {
  const backend = await tokenServer(t, token)
  const getToken = channelToken({
    url: backend.url,
    request: { headers: { 'x-csrf-token': 'secret' } },
  })
  t.equal(await getToken({ channel: 'room:7' }), 'token-1')
  t.equal(await getToken({ channel: 'room:8' }), 'token-2')
  t.match(backend.requests[0], {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf-token': 'secret' },
    body: '{"channel":"room:7"}',
  })
  t.equal(backend.requests[1]?.body, '{"channel":"room:8"}')
})

t.test('ends the subscription when the backend refuses the channel', async (t) => {
  for (const status of [401, 403, 404]) {
    const { url } = await tokenServer(t, () => ({ status, body: { detail: 'not your room' } }))
    await t.rejects(channelToken({ url })({ channel: 'room:7' }), UnauthorizedError)
  }
  const { url } = await tokenServer(t, () => ({ status: 403, body: '' }))
  const { UnauthorizedError: Unauthorized } = protobuf
  await t.rejects(
    channelToken({ url, UnauthorizedError: Unauthorized })({ channel: 'room:7' }),
    Unauthorized,
    'with the error of the build in use, which tests for its own class',
  )
})

t.test('lets centrifuge-js try again after a temporary error', async (t) => {
  for (const status of [429, 500, 503]) {
    const { url } = await tokenServer(t, () => ({ status, body: '' }))
    await t.rejects(channelToken({ url })({ channel: 'room:7' }), { name: 'TokenError', status })
  }
})
