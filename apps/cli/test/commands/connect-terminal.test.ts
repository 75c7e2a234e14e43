import t from 'tap'
import { installation } from '../fixtures/installation.js'
import { keys, openTerminal } from '../fixtures/real-terminal.js'

t.test('text from the server cannot move the cursor', async (t) => {
  const evil = '\u001b[2J\u009b2J\r\n\u202egnihton'
  const { cwd, sockets } = await installation(t, {
    onSubscribe: (socket, channel) => {
      socket.send(JSON.stringify({ push: { channel, pub: { data: evil } } }))
      socket.send(JSON.stringify({ push: { channel: `a${evil}`, pub: { data: 1 } } }))
      socket.send(JSON.stringify({ push: { channel, unsubscribe: { code: 2000, reason: evil } } }))
    },
  })
  const terminal = openTerminal(t, ['connect', 'demo:x'], { cwd, columns: 120 })
  await terminal.shows(
    'the server ended demo:x: 2000 \\u001b[2J\\u009b2J\\u000d\\u000a\\u202egnihton',
  )
  t.match(terminal.screen(), '"\\u001b[2J\\u009b2J\\r\\n\\u202egnihton"')
  for (const part of ['\u001b[2J', '\u009b', '\u202e']) {
    t.notOk(terminal.written().includes(part), JSON.stringify(part))
  }
  for (const socket of sockets) {
    socket.close(4000, evil)
  }
  await terminal.shows(/connection lost \(4000 \\u001b\[2J.*reconnecting/)
  terminal.type(keys.ctrlD)
  t.equal(await terminal.ended, 0)
})

t.test('there is no prompt with --json or a token from standard input', async (t) => {
  const { cwd } = await installation(t, {
    onSubscribe: (socket) => socket.close(4500, 'token revoked'),
  })
  const json = openTerminal(t, ['connect', 'demo:x', '--json'], { cwd, columns: 200 })
  t.equal(await json.ended, 3)
  t.match(json.screen(), /^\{"event":"connected",.*\}\n\{"event":"subscribed",/)
  t.notMatch(json.screen(), '> ')
  const piped = openTerminal(t, ['connect', 'demo:x', '--token-file', '-'], { cwd })
  piped.type('a.b.c', keys.enter, keys.ctrlD)
  t.equal(await piped.ended, 3)
  t.match(piped.screen(), /subscribed to demo:x\nportcullis: closed 4500 token revoked$/)
})
