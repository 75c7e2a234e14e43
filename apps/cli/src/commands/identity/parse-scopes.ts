import { parseScope } from '@portcullis/contracts/scopes'
import { CliError } from '../../errors.js'

/** Parses the value of `--scope`. @throws CliError when a scope does not exist. */
export function parseScopes(text: string): readonly string[] {
  const scopes = parseScope(text)
  if (scopes !== undefined) {
    return scopes
  }
  const example = 'separate scopes with spaces, such as "subscribe:news:* tokens:issue"'
  throw new CliError('usage', `--scope contains an unknown scope; ${example}`)
}
