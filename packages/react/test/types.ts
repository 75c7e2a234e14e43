/** Type tests: `npm run typecheck` fails when one of these lines has another type. Nothing runs them. */
import { fixedToken, type SignedOut } from '@portcullis/client'
import type { Centrifuge, ClientInfo, PublicationContext } from 'centrifuge'
import { createElement } from 'react'
import {
  type CommandError,
  PortcullisProvider,
  useConnection,
  useHistory,
  type usePresence,
  useSubscription,
} from '../src/index.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never
const same = <A, B>(_same: Same<A, B>): void => undefined

const tokens = fixedToken('x')
const url = 'wss://realtime.example/connection/websocket'
createElement(PortcullisProvider, { url, tokens, onSignedOut: ({ reason }) => reason })
// @ts-expect-error tokens are required
createElement(PortcullisProvider, { url })
// @ts-expect-error the provider decides when to connect
createElement(PortcullisProvider, { url, tokens, autoConnect: true })
// @ts-expect-error the token comes from `tokens`
createElement(PortcullisProvider, { url, tokens, token: 'x' })

export function Component(): null {
  const connection = useConnection()
  same<typeof connection.state, 'disconnected' | 'connecting' | 'connected'>(true)
  same<typeof connection.signedOut, SignedOut | undefined>(true)
  same<typeof connection.client, Centrifuge>(true)

  const subscription = useSubscription('news', {
    getToken: async ({ channel }) => channel,
    joinLeave: true,
    onJoin: ({ info }) => same<typeof info, ClientInfo>(true),
    onPublication: (context) => same<typeof context, PublicationContext>(true),
  })
  same<typeof subscription.state, 'subscribing' | 'subscribed' | 'unsubscribed'>(true)
  same<typeof subscription.ended, { code: number; reason: string } | undefined>(true)
  useSubscription(undefined)
  // @ts-expect-error a channel has a name
  useSubscription(7)
  // @ts-expect-error states cannot be changed
  subscription.state = 'subscribed'

  same<ReturnType<typeof usePresence>['clients'], readonly ClientInfo[]>(true)
  same<ReturnType<typeof useHistory>['publications'], readonly PublicationContext[]>(true)
  same<ReturnType<typeof useHistory>['error'], CommandError | undefined>(true)
  useHistory('news', { limit: 10 })
  // @ts-expect-error a limit is a number
  useHistory('news', { limit: '10' })
  return null
}
