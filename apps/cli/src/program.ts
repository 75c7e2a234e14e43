import { Command } from 'commander'
import { CommandTokens } from './api/command-tokens.js'
import { auditCommand } from './commands/audit.js'
import { codeCommands } from './commands/code.js'
import { completionCommands } from './commands/completion.js'
import { connectCommand } from './commands/connect.js'
import { connectionsCommand } from './commands/connections.js'
import { doctorCommand } from './commands/doctor.js'
import { identityCommands } from './commands/identity/index.js'
import { keyCommands } from './commands/key.js'
import { nodesCommand } from './commands/nodes.js'
import { profileCommands } from './commands/profile/index.js'
import { publishCommand } from './commands/publish.js'
import { receiverCommands } from './commands/receiver/index.js'
import { revocationCommands } from './commands/revocation.js'
import { revokeCommand } from './commands/revoke.js'
import { tokenCommands } from './commands/token/index.js'
import { exitCodesText } from './errors.js'
import { loadTls } from './installation/tls.js'
import { type OpenSession, openSession } from './session/session.js'
import type { Shell } from './terminal/shell.js'
import { version } from './version.js'

/**
 * Builds the command line. Running it throws CommanderError or CliError; it never exits the process.
 *
 * @param tokens - gets the tokens that the command uses, which the caller revokes afterwards
 */
export function program(shell: Shell, tokens = new CommandTokens()): Command {
  const root = new Command('portcullis')
    .description('Administers Portcullis: revocable, token-gated WebSockets')
    .version(version, '-V, --version', 'print the version')
    .option('--json', 'print results as JSON')
    .option('--profile <profile>', 'use this stored profile')
    .option('--auth <url>', 'URL of auth')
    .option('--realtime <urls>', 'URLs of the realtime nodes, separated by commas')
    // Subcommands copy these settings when they are created, so they come first.
    .exitOverride()
    .showHelpAfterError('(add --help for usage)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void shell.stdout.write(text),
      writeErr: (text) => void shell.stderr.write(text),
    })
    .addHelpText('after', afterHelp)
    .hook('preAction', loadTls)
  const open: OpenSession = (command) => openSession(shell, tokens, command)
  identityCommands(root, open)
  codeCommands(root, open)
  tokenCommands(root, open)
  revokeCommand(root, open)
  revocationCommands(root, open)
  connectCommand(root, open)
  publishCommand(root, open)
  nodesCommand(root, open)
  doctorCommand(root, open)
  connectionsCommand(root, open)
  keyCommands(root, open)
  receiverCommands(root, open)
  auditCommand(root, open)
  profileCommands(root, shell)
  completionCommands(root, shell)
  return root
}

const afterHelp = `
The installation and your identity come from the first of these that is present:
  1. --profile <profile>
  2. PORTCULLIS_PROFILE
  3. .portcullis/local.json in this directory or a parent directory (npm start writes it)
  4. PORTCULLIS_AUTH_URL, PORTCULLIS_REALTIME_URL, PORTCULLIS_IDENTITY, if any of them is set
  5. the profile chosen with "portcullis profile use"
  6. the default URLs, without an identity
Two of them are never mixed. "portcullis profile show" prints which one is used, and why.

Environment variables:
  PORTCULLIS_AUTH_URL                default http://127.0.0.1:4000
  PORTCULLIS_REALTIME_URL            default ws://127.0.0.1:8000; separate several with commas
  PORTCULLIS_IDENTITY                your identity
  PORTCULLIS_REGISTRATION_CODE       your registration code
  PORTCULLIS_REGISTRATION_CODE_FILE  a file that holds it; without either, you are prompted for it
  PORTCULLIS_CA_FILE                 PEM file of the authorities to trust instead of Node's
  PORTCULLIS_CERT_FILE               PEM file of your client certificate
  PORTCULLIS_KEY_FILE                PEM file of its private key

Exit codes: ${exitCodesText}.`
