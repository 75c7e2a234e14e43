import { type Static, Type } from '@sinclair/typebox'

const closed = { additionalProperties: false }

/** Where a stored profile has its registration code from; never the code. */
export const StoredCodeSource = Type.Union([
  Type.Object({ file: Type.String({ minLength: 1 }) }, closed),
  Type.Object({ environment: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }) }, closed),
  Type.Object({ prompt: Type.Literal(true) }, closed),
])
export type StoredCodeSource = Static<typeof StoredCodeSource>

/**
 * - `own`: the file has to be readable by its owner alone, as a profile's is; secrets that an
 *   orchestrator mounts are not
 * - `value`: it came with the rest of `.portcullis/local.json`
 */
export type CodeSource =
  | { file: string; own?: true }
  | { environment: string }
  | { prompt: true }
  | { value: string }

/** The source in words. */
export function codeSourceText(source: CodeSource): string {
  if ('value' in source) {
    return 'the same file'
  }
  if ('file' in source) {
    return source.file
  }
  return 'environment' in source ? `the variable ${source.environment}` : 'asked for on a terminal'
}
