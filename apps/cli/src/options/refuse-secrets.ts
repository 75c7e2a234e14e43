import { CliError } from '../errors.js'

const secretOption =
  /^--?(?:code|registration-code|client-secret|secret|password|token|authorization)(?:=|$)/
const jwt = /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/

/**
 * Arguments are seen by everyone on the machine, and kept in the shell's history.
 *
 * @throws CliError when one is a secret, without showing it.
 */
export function refuseSecrets(args: readonly string[]): void {
  if (args.some((arg) => jwt.test(arg))) {
    throw new CliError(
      'usage',
      'a token is no argument: it stays in the history of your shell. Put it into a file for ' +
        '--token-file, and revoke this one if others can have seen it',
    )
  }
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  if (options.some((arg) => secretOption.test(arg))) {
    throw new CliError(
      'usage',
      'codes and tokens are no arguments: they stay in the history of your shell. A token comes ' +
        'from --token-file, an Authorization header from --authorization-file; a registration ' +
        'code from a profile (portcullis profile add --help), PORTCULLIS_REGISTRATION_CODE_FILE, ' +
        'or the terminal',
    )
  }
}
