/** Runs in the browser: a page that uses every hook, in StrictMode. */
import { tokenSource } from '@portcullis/client'
import { type ReactElement, StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import {
  PortcullisProvider,
  useConnection,
  useHistory,
  usePresence,
  useSubscription,
} from '../../src/index.js'

const node = new URLSearchParams(location.search).get('node') ?? ''
const tokens = tokenSource({ url: '/token' })
const channel = 'chat:1'

const line = (...words: unknown[]) => words.filter((word) => word !== undefined).join(' ')

function Status(): ReactElement {
  const { state, signedOut } = useConnection()
  return <p id="status">{line(state, signedOut?.reason)}</p>
}

function Room({ id, channel }: { id: string; channel: string }): ReactElement {
  const [texts, setTexts] = useState<string[]>([])
  const { state, ended } = useSubscription(channel, {
    onPublication: ({ data }) => setTexts((all) => [...all, data]),
  })
  return <p id={id}>{line(state, ended?.code, ...texts)}</p>
}

function People(): ReactElement {
  const { clients, isLoading } = usePresence(channel)
  const users = clients.map(({ user }) => user).sort()
  return <p id="people">{isLoading ? 'loading' : users.join(' ')}</p>
}

function Past(): ReactElement {
  const { publications, isLoading } = useHistory(channel, { limit: 3 })
  const texts = publications.map(({ data }) => data)
  return <p id="past">{isLoading ? 'loading' : texts.join(' ')}</p>
}

const parts: Record<string, () => ReactElement> = {
  first: () => <Room id="first" channel={channel} />,
  second: () => <Room id="second" channel={channel} />,
  refused: () => <Room id="refused" channel="secret" />,
  people: () => <People />,
  past: () => <Past />,
}

function Toggle({ name, onToggle }: { name: string; onToggle(): void }): ReactElement {
  return (
    <button type="button" id={`toggle-${name}`} onClick={onToggle}>
      {name}
    </button>
  )
}

function App(): ReactElement {
  const [isMounted, setMounted] = useState(true)
  const [shown, setShown] = useState(['first', 'second'])
  const [told, setTold] = useState<string[]>([])
  const toggle = (name: string) =>
    setShown((all) => (all.includes(name) ? all.filter((each) => each !== name) : [...all, name]))
  return (
    <>
      {Object.keys(parts).map((name) => (
        <Toggle key={name} name={name} onToggle={() => toggle(name)} />
      ))}
      <Toggle name="provider" onToggle={() => setMounted((mounted) => !mounted)} />
      <p id="told">{told.join(' ')}</p>
      {isMounted && (
        <PortcullisProvider
          url={node}
          tokens={tokens}
          onSignedOut={({ reason }) => setTold((all) => [...all, reason])}
        >
          <Status />
          {shown.map((name) => (
            <div key={name}>{parts[name]?.()}</div>
          ))}
        </PortcullisProvider>
      )}
    </>
  )
}

const root = document.createElement('div')
document.body.append(root)
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
