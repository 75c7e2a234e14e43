import { readFile } from 'node:fs/promises'
import { fixedToken } from '@portcullis/client'
import { createElement, type ReactElement } from 'react'
import { renderToString } from 'react-dom/server'
import t from 'tap'
import {
  PortcullisProvider,
  useConnection,
  useHistory,
  usePresence,
  useSubscription,
} from '../src/index.js'
import { scriptedServer } from './fixtures/scripted-socket.js'

function All(): ReactElement {
  const { state } = useConnection()
  const room = useSubscription('chat')
  const none = useSubscription(undefined)
  const { clients } = usePresence('chat')
  const { publications, isLoading } = useHistory('chat')
  const shown = [state, room.state, none.state, clients.length, publications.length, isLoading]
  return createElement('p', undefined, shown.join(' '))
}

t.test('a page is rendered on a server without a connection', async (t) => {
  const server = scriptedServer()
  const page = renderToString(
    createElement(
      PortcullisProvider,
      { url: 'ws://127.0.0.1:1', tokens: fixedToken('x'), dial: server.dial },
      createElement(All),
    ),
  )
  t.equal(page, '<p>disconnected subscribing unsubscribed 0 0 true</p>')
  t.equal(server.dials(), 0)
})

t.test('a hook without a provider throws an error that names the provider', (t) => {
  t.throws(() => renderToString(createElement(All)), /PortcullisProvider/)
  t.end()
})

t.test('the package is marked for frameworks with server components', async (t) => {
  const entry = await readFile(new URL(import.meta.resolve('@portcullis/react')), 'utf8')
  t.match(entry, /^'use client';/)
})
