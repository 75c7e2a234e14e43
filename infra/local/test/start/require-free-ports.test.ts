import { createServer } from 'node:net'
import t from 'tap'
import { requireFreePorts } from '../../src/start/require-free-ports.js'

t.test('names a taken port, and the option that selects another', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await t.rejects(requireFreePorts('127.0.0.1', [{ name: 'auth', port, option: '--auth-port' }]), {
    code: 'port_taken',
    message: `port ${port} is taken by another program, which auth needs (--auth-port chooses)`,
  })
})
