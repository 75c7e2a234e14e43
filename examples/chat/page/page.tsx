import { type SignedOut, tokenSource } from '@portcullis/client'
import { PortcullisProvider, useConnection, useHistory, usePresence } from '@portcullis/react'
import { type FormEvent, type ReactElement, StrictMode, useEffect, useMemo, useState } from 'react'
import { createRoot } from 'react-dom/client'

const room = 'room:lobby'

async function post(path: string, body: object): Promise<Response> {
  return await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/** Returns the text of a form's only field, and empties the field. */
function take(event: FormEvent<HTMLFormElement>): string {
  event.preventDefault()
  const text = new FormData(event.currentTarget).get('text')
  event.currentTarget.reset()
  return typeof text === 'string' ? text : ''
}

/** The signed-in user and the node for its socket; empty without a session. */
type Me = { user: string; node: string } | Record<string, never>

function SignIn({ why, onDone }: { why: SignedOut | undefined; onDone(): void }): ReactElement {
  return (
    <form
      onSubmit={async (event) => {
        await post('/sign-in', { user: take(event) })
        onDone()
      }}
    >
      {why && <p className="notice">You are signed out: {why.reason}</p>}
      <input name="text" placeholder="your name" pattern="[a-z0-9]{1,20}" required />
      <button type="submit">Sign in</button>
    </form>
  )
}

function Messages(): ReactElement {
  const { publications } = useHistory(room, { limit: 50 })
  return (
    <ol>
      {publications.map(({ offset, info, data }) => (
        <li key={offset}>
          <b>{info?.user}</b> {data.text}
        </li>
      ))}
    </ol>
  )
}

function People({ me }: { me: string }): ReactElement {
  const { clients } = usePresence(room)
  const [notice, setNotice] = useState('')
  const users = [...new Set(clients.map(({ user }) => user))].sort()
  const cutOff = async (user: string) => {
    const { closed, nodes, ms } = await (await post('/cut-off', { user })).json()
    setNotice(`${user} is out: ${closed} closed, confirmed by ${nodes} nodes in ${ms} ms`)
  }
  return (
    <aside>
      <ul>
        {users.map((user) => (
          <li key={user}>
            {user}
            {user !== me && (
              <button type="button" onClick={() => cutOff(user)}>
                Cut off
              </button>
            )}
          </li>
        ))}
      </ul>
      {notice && <p className="notice">{notice}</p>}
    </aside>
  )
}

function Say(): ReactElement {
  const { client, state } = useConnection()
  return (
    <form onSubmit={(event) => void client.publish(room, { text: take(event) })}>
      <input name="text" placeholder="say something" autoComplete="off" required />
      <button type="submit" disabled={state !== 'connected'}>
        Send
      </button>
    </form>
  )
}

function Header({ user, node }: { user: string; node: string }): ReactElement {
  const { state } = useConnection()
  return (
    <header>
      <h1>Lobby</h1>
      <span>
        {user}, {state} at {new URL(node).host}
      </span>
    </header>
  )
}

interface ChatProps {
  user: string
  node: string
  onSignedOut(why: SignedOut): void
}

function Chat({ user, node, onSignedOut }: ChatProps): ReactElement {
  // biome-ignore lint/correctness/useExhaustiveDependencies: another user needs other tokens
  const tokens = useMemo(() => tokenSource({ url: '/token' }), [user])
  return (
    <PortcullisProvider url={node} tokens={tokens} onSignedOut={onSignedOut}>
      <Header user={user} node={node} />
      <main>
        <Messages />
        <People me={user} />
      </main>
      <Say />
    </PortcullisProvider>
  )
}

function App(): ReactElement {
  const [me, setMe] = useState<Me>()
  const [why, setWhy] = useState<SignedOut>()
  const [visits, setVisits] = useState(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: asks again after each sign-in
  useEffect(() => {
    const left = new AbortController()
    fetch('/me', { signal: left.signal })
      .then(async (response) => setMe(await response.json()))
      .catch(() => undefined)
    return () => left.abort()
  }, [visits])
  if (me === undefined) {
    return <p>…</p>
  }
  return me.user === undefined ? (
    <SignIn why={why} onDone={() => setVisits((count) => count + 1)} />
  ) : (
    <Chat
      user={me.user}
      node={me.node}
      onSignedOut={(ended) => {
        setWhy(ended)
        setMe({})
      }}
    />
  )
}

const root = document.createElement('div')
document.body.append(root)
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
