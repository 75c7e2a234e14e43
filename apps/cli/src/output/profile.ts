import { codeSourceText } from '../installation/code-source.js'
import type { StoredProfile } from '../installation/stored-profiles.js'
import type { TlsFiles } from '../installation/tls.js'
import type { Output } from './output.js'

interface ProfileRow extends StoredProfile {
  name: string
  use: boolean
}

/** Profiles, one a line. */
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
    'no profiles; portcullis profile add makes one',
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

/** What is used, and in which order it was looked for. */
export function profileText(out: Output, shown: ShownProfile): string {
  const { source, auth, realtime, identity, code, tls, file, order } = shown
  const fields = out.fields([
    ['from', source],
    ['auth', auth],
    ['realtime', realtime.join(', ') || '(none)'],
    ['identity', identity ?? '(nobody)'],
    ['code', code],
    ['trusts', tls?.ca],
    ['shows', tls?.cert],
    ['profiles', file],
  ])
  const taken = order.findIndex(({ found }) => found !== undefined)
  const rows = order.map((one, index) => ({ ...one, taken: index === taken }))
  const table = out.table(
    [
      { head: '', value: (row) => (row.taken ? '*' : ''), paint: out.paint.green },
      { head: 'LOOKED FOR IN THIS ORDER', value: ({ place }) => place },
      { head: 'FOUND', value: ({ found, absent }) => found ?? absent ?? '' },
    ],
    rows,
    '',
  )
  const flags = 'Whatever is taken, --auth and --realtime change its addresses.'
  return `${fields}\n\n${table}\n\n${out.paint.dim(flags)}`
}
