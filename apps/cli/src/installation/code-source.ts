import { type Static, Type } from '@sinclair/typebox'

const closed = { additionalProperties: false }

/** Where a stored profile reads its registration code. The code itself is never stored here. */
export const StoredCodeSource = Type.Union([
  Type.Object({ file: Type.String({ minLength: 1 }) }, closed),
  Type.Object({ environment: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }) }, closed),
  Type.Object({ prompt: Type.Literal(true) }, closed),
])
export type StoredCodeSource = Static<typeof StoredCodeSource>

/**
 * - `file`: with `own` the file must be readable by its owner alone, as the file of a profile must be;
 *   files that an orchestrator mounts usually have other modes
 * - `environment`: name of a variable
 * - `prompt`: asked on the terminal
 * - `value`: the code from `.portcullis/local.json`
 */
export type CodeSource =
  | { file: string; own?: true }
  | { environment: string }
  | { prompt: true }
  | { value: string }

/** Describes the source; never shows the code. */
export function codeSourceText(source: CodeSource): string {
  if ('value' in source) {
    return 'in the same file'
  }
  if ('file' in source) {
    return source.file
  }
  return 'environment' in source ? `variable ${source.environment}` : 'asked on the terminal'
}
