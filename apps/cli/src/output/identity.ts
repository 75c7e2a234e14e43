import type { Identity, RegistrationCodeInfo } from '@portcullis/contracts/identities'
import type { Output } from './output.js'
import { relative, span } from './time.js'

/** Returns a table of identities. */
export function identityList(out: Output, identities: readonly Identity[]): string {
  const state = (text: string) => stateColour(out, text)
  return out.table<Identity>(
    [
      { head: 'IDENTITY', value: ({ identity }) => identity },
      { head: 'STATE', value: (row) => row.state, whole: true, paint: state },
      { head: 'CODES', value: (row) => `${row.registrationCodes.length}`, right: true },
      { head: 'SCOPES', value: ({ scopes }) => scopes.join(' ') },
      { head: 'LABELS', value: ({ labels }) => labels.join(' ') },
      { head: 'CREATED', value: ({ createdAt }) => relative(createdAt), whole: true },
    ],
    identities,
    'no identities',
  )
}

/** Returns all fields of an identity. */
export function identityText(out: Output, identity: Identity): string {
  const { tokenTtlSeconds, labels, nodes, registrationCodes } = identity
  const codes = registrationCodes.map(({ id, createdAt, expiresAt }) => {
    const end = expiresAt === undefined ? '' : `, ends ${relative(expiresAt)}`
    return `${id} (${relative(createdAt)}${end})`
  })
  return out.fields([
    ['identity', identity.identity],
    ['state', identity.state],
    ['scopes', identity.scopes.join(' ') || '(none)'],
    ['token lifetime', tokenTtlSeconds === undefined ? undefined : span(tokenTtlSeconds)],
    ['labels', labels.length === 0 ? undefined : labels.join(' ')],
    ['node names', nodes?.join(' ')],
    ['created', new Date(identity.createdAt).toISOString()],
    ...codes.map((code, index) => [index === 0 ? 'codes' : '', code] as const),
  ])
}

/** Returns a table of registration codes: ids and times, never the codes. */
export function codeList(out: Output, codes: readonly RegistrationCodeInfo[]): string {
  return out.table<RegistrationCodeInfo>(
    [
      { head: 'ID', value: ({ id }) => id, whole: true },
      { head: 'MADE', value: ({ createdAt }) => relative(createdAt), whole: true },
      { head: 'ENDS', value: ({ expiresAt }) => (expiresAt ? relative(expiresAt) : 'never') },
    ],
    codes,
    'no registration codes',
  )
}

/** Returns a new registration code, which is shown this once. */
export function codeText(out: Output, registrationCode: string): string {
  const code = out.fields([['registration code', registrationCode]])
  return `${out.paint.bold(code)}\n${out.paint.dim('Store it now: it is not shown again.')}`
}

/** Paints `active` green, any other state red. */
export function stateColour({ paint }: Output, text: string): string {
  return text.startsWith('active') ? paint.green(text) : paint.red(text)
}
