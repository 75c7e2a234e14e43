import { ConfigError } from '@portcullis/service'

/**
 * Returns the origins of a list as browsers send them: in lower case, without the default port, with
 * the host in ASCII (RFC 6454 §6.2).
 *
 * @throws ConfigError when a host or port cannot exist
 */
export function readOrigins(list: string): string[] {
  return list
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map(normalised)
}

function normalised(text: string): string {
  let origin: string
  try {
    ;({ origin } = new URL(text))
  } catch {
    throw new ConfigError(['ALLOWED_ORIGINS has an origin whose host or port is not valid'])
  }
  // URLs of other schemes, such as capacitor://localhost, have no origin of their own.
  return origin === 'null' ? text.toLowerCase() : origin
}
