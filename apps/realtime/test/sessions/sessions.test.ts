import t from 'tap'
import { Sessions } from '../../src/sessions/sessions.js'

const commands = (session: string) => ({ session, data: Buffer.from('{}'), isBinary: false })

t.test('hands commands to the connection of their session, until the session ends', async (t) => {
  const sessions = new Sessions()
  const got: string[] = []
  const receive = (name: string) => ({
    receive: (data: Buffer, isBinary: boolean) => got.push(`${name} ${data} ${isBinary}`),
  })
  const remove = sessions.add('a', 'http_stream', receive('ada'))
  sessions.add('b', 'sse', receive('bob'))
  t.same(sessions.counts, { http_stream: 1, sse: 1 })
  t.ok(sessions.receive(commands('a')))
  t.ok(sessions.receive(commands('b')))
  t.notOk(sessions.receive(commands('c')))
  remove()
  remove()
  t.notOk(sessions.receive(commands('a')))
  t.same(got, ['ada {} false', 'bob {} false'])
  t.same(sessions.counts, { http_stream: 0, sse: 1 })
})
