import { CliError } from '../errors.js'

const secretOption =
  /^--?(?:code|registration-code|client-secret|secret|password|token|authorization)(?:=|$)/
const jwt = /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/

/**
 * Refuses secrets in arguments, which every user of the machine can see and the shell's history keeps.
 *
 * @throws CliError when an argument is a secret; the message does not show it.
 */
export function refuseSecrets(args: readonly string[]): void {
  if (args.some((arg) => jwt.test(arg))) {
    throw new CliError(
      'usage',
      "an argument must not be a token: it stays in your shell's history. Put the token into a " +
        'file and use --token-file; revoke it if others may have seen it',
    )
  }
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  if (options.some((arg) => secretOption.test(arg))) {
    throw new CliError(
      'usage',
      "an argument must not be a code or a token: it stays in your shell's history. Use " +
        '--token-file for a token, --authorization-file for an Authorization header; a ' +
        'registration code comes from a profile (portcullis profile add --help), ' +
        'PORTCULLIS_REGISTRATION_CODE_FILE, or the terminal',
    )
  }
}
