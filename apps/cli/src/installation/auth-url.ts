import { CliError } from '../errors.js'

/** Returns the URL of auth without a trailing slash. @throws CliError when it is not an HTTP URL. */
export function authUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') {
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  }
  throw new CliError('usage', `"${text}" is not the URL of auth; use http://host:port`)
}
