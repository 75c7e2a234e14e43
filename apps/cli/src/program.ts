import { Command } from 'commander'
import { auditCommand } from './commands/audit.js'
import { codeCommands } from './commands/code.js'
import { completionCommands } from './commands/completion.js'
import { connectCommand } from './commands/connect.js'
import { connectionsCommand } from './commands/connections.js'
import { doctorCommand } from './commands/doctor.js'
import { identityCommands } from './commands/identity.js'
import { keyCommands } from './commands/key.js'
import { nodesCommand } from './commands/nodes.js'
import { profileCommands } from './commands/profile.js'
import { publishCommand } from './commands/publish.js'
import { receiverCommands } from './commands/receiver.js'
import { revocationCommands } from './commands/revocation.js'
import { revokeCommand } from './commands/revoke.js'
import { tokenCommands } from './commands/token.js'
import { exitCodesText } from './errors.js'
import { type OpenSession, openSession } from './session/session.js'
import type { Shell } from './terminal/shell.js'

/** The command line. Running it throws CommanderError or CliError instead of ending the process. */
export function program(shell: Shell): Command {
  const root = new Command('portcullis')
    .description('Revocable, token-gated WebSockets: the administrator’s command line')
    .option('--json', 'write JSON for programs')
    .option('--profile <profile>', 'the installation that is kept by this name')
    .option('--auth <url>', 'auth is at this URL')
    .option('--realtime <urls>', 'realtime nodes are at these URLs, separated by commas')
    // Subcommands take these over when they are made.
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void shell.stdout.write(text),
      writeErr: (text) => void shell.stderr.write(text),
    })
    .addHelpText('after', afterHelp)
  const open: OpenSession = (command) => openSession(shell, command)
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
Which installation, and who you are there: --profile; PORTCULLIS_PROFILE; .portcullis/local.json in
this directory or one above (npm start writes it); the environment; the profile of "profile use".
The first of these that is there is taken whole; "portcullis profile show" says which, and why.
  PORTCULLIS_AUTH_URL           default http://127.0.0.1:4000
  PORTCULLIS_REALTIME_URL       default ws://127.0.0.1:8000; several with commas
  PORTCULLIS_IDENTITY           who you are
  PORTCULLIS_REGISTRATION_CODE  or PORTCULLIS_REGISTRATION_CODE_FILE, a file that holds it; with
                                neither it is asked for on the terminal
  PORTCULLIS_CA_FILE            PEM of the authorities to trust, in place of those that Node trusts
  PORTCULLIS_CERT_FILE          and PORTCULLIS_KEY_FILE: PEM, for services that ask for a certificate

Exit codes: ${exitCodesText}.`
