/**
 * Returns the text of a rejection of the official client, which is an Error or an object of the same
 * shape: `103 permission denied`.
 */
export function failureText(error: unknown): string {
  if (typeof error !== 'object' || error === null) {
    return String(error)
  }
  const code = 'code' in error ? `${error.code} ` : ''
  return 'message' in error ? `${code}${error.message}` : String(error)
}
