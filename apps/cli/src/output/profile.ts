import { codeSourceText } from '../installation/code-source.js'
import type { StoredProfile } from '../installation/stored-profiles.js'
import type { TlsFiles } from '../installation/tls.js'
import type { Output } from './output.js'

interface ProfileRow extends StoredProfile {
  name: string
  use: boolean
}

/** Returns a table of profiles. */
export function profileList(out: Output, profiles: readonly ProfileRow[]): string {
  return out.table<ProfileRow>(
    [
      { head: 'PROFILE', value: ({ name }) => name, whole: true },
      { head: 'USED', value: ({ use }) => (use ? 'yes' : ''), paint: out.paint.green },
      { head: 'AUTH', value: ({ auth }) => auth },
      { head: 'IDENTITY', value: ({ identity }) => identity },
      { head: 'CODE', value: ({ registrationCode }) => codeSourceText(registrationCode) },
    ],
    profiles,
    'no profiles; add one with portcullis profile add',
  )
}

interface ShownProfile {
  source: string
  auth: string
  realtime: readonly string[]
  identity?: string
  code?: string
  tls?: TlsFiles
  file: string
  order: readonly { place: string; found?: string; absent?: string }[]
}

/** Returns the installation in use, and the places in order of precedence. */
export function profileText(out: Output, shown: ShownProfile): string {
  const { source, auth, realtime, identity, code, tls, file, order } = shown
  const fields = out.fields([
    ['from', source],
    ['auth', auth],
    ['realtime', realtime.join(', ') || '(none)'],
    ['identity', identity ?? '(none)'],
    ['code', code],
    ['trusts', tls?.ca],
    ['shows', tls?.cert],
    ['profiles', file],
  ])
  const used = order.findIndex(({ found }) => found !== undefined)
  const rows = order.map((one, index) => ({ ...one, used: index === used }))
  const table = out.table(
    [
      { head: '', value: (row) => (row.used ? '*' : ''), paint: out.paint.green },
      { head: 'LOOKED FOR IN THIS ORDER', value: ({ place }) => place },
      { head: 'FOUND', value: ({ found, absent }) => found ?? absent ?? '' },
    ],
    rows,
    '',
  )
  const flags = '--auth and --realtime override the URLs.'
  return `${fields}\n\n${table}\n\n${out.paint.dim(flags)}`
}
