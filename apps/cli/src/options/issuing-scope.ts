import { maxScopes, parseScope } from '@portcullis/contracts/scopes'

/** Returns the scopes to issue tokens with `scope`; undefined, for all, when `scope` is not known. */
export function issuingScope(scope: string | undefined): string | undefined {
  const given = scope === undefined ? undefined : parseScope(scope)
  return given === undefined || given.length >= maxScopes
    ? undefined
    : ['tokens:issue', ...given].join(' ')
}
