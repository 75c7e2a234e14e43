// The first program of `npm start`, `npm run chat`, `npm test`, `npm run bench`, `npm run simulate` and
// `npm run mutants`. It uses only Node's own modules, because no package is installed yet: it installs
// packages, builds, and imports the program of the command.
import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url)

/** The program of each command. */
const mains = {
  start: new URL('./dist/start.js', import.meta.url),
  chat: new URL('examples/chat/dist/main.js', root),
  test: new URL('./dist/test.js', import.meta.url),
  bench: new URL('test/dist/bench/main.js', root),
  simulate: new URL('test/simulation/dist/main.js', root),
  mutants: new URL('test/dist/mutants/main.js', root),
}

/**
 * What a command needs to be built, if that is not everything.
 * @type {Readonly<Partial<Record<keyof typeof mains, string[]>>>}
 */
const built = {
  start: ['apps/auth', 'apps/realtime', 'apps/cli', 'infra/local'],
  chat: ['apps/auth', 'apps/realtime', 'examples/chat'],
}

/**
 * Runs `work`, and shows its title, its progress and its time.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function step(title, work) {
  const started = Date.now()
  const live = process.stdout.isTTY === true
  const line = (/** @type {string} */ mark) => {
    const seconds = ((Date.now() - started) / 1000).toFixed(live && mark !== '✓' ? 0 : 1)
    return `  ${mark} ${title} ${seconds} s`
  }
  const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
  let frame = 0
  const show = () =>
    process.stdout.write(`\r\u001b[K${line(frames[frame++ % frames.length] ?? '')}`)
  // A CI log gets a line now and then.
  const timer = live ? setInterval(show, 100) : setInterval(() => print(line('…')), 15_000)
  if (!live) {
    print(`  … ${title}`)
  }
  try {
    const result = await work()
    clearInterval(timer)
    print(`${live ? '\r\u001b[K' : ''}${line('✓')}`)
    return result
  } catch (error) {
    clearInterval(timer)
    print(`${live ? '\r\u001b[K' : ''}${line('✗')}`)
    throw error
  }
}

/** @param {string} text */
function print(text) {
  process.stdout.write(`${text}\n`)
}

/** A command of a step failed; `output` is its output. */
class CommandFailed extends Error {
  /** @param {string} message @param {string} output */
  constructor(message, output) {
    super(message)
    this.output = output
  }
}

/**
 * Runs a command in the checkout's root. Its output is shown only if it fails.
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<void>}
 */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: fileURLToPath(root),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const collect = (/** @type {Buffer} */ chunk) => {
      output += chunk
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const stop = () => child.kill('SIGTERM')
    process.once('exit', stop)
    const shown = [command.replace(/^.*\//, ''), ...args].join(' ')
    child.once('error', (error) => reject(new CommandFailed(`${shown}: ${error.message}`, output)))
    child.once('close', (code, signal) => {
      process.removeListener('exit', stop)
      if (code === 0) {
        resolve()
      } else {
        reject(new CommandFailed(`${shown} failed (${signal ?? `exit code ${code}`})`, output))
      }
    })
  })
}

/** Returns true if node_modules is newer than package-lock.json: npm writes its copy of it last. */
function installed() {
  const copy = new URL('node_modules/.package-lock.json', root)
  const lock = new URL('package-lock.json', root)
  return existsSync(copy) && statSync(copy).mtimeMs >= statSync(lock).mtimeMs
}

/** @param {keyof typeof mains} command @param {string[]} args */
async function main(command, args) {
  const interrupted = () => process.exit(130)
  process.on('SIGINT', interrupted)
  process.on('SIGTERM', interrupted)
  if (!installed()) {
    await step('installing packages', () => run('npm', ['ci', '--loglevel=error']))
  }
  const workspaces = built[command] ?? []
  await step('building', () => run(process.execPath, ['infra/build/build.js', ...workspaces]))
  process.removeListener('SIGINT', interrupted)
  process.removeListener('SIGTERM', interrupted)
  const file = mains[command]
  if (!existsSync(file)) {
    throw new Error(`there is no ${fileURLToPath(file)}`)
  }
  process.argv = [process.argv[0] ?? '', fileURLToPath(file), ...args]
  const module = await import(file.href)
  // A program without a `main` runs when it is imported.
  if (module.main !== undefined) {
    process.exitCode = await module.main(args, step)
  }
}

const [major = 0] = process.versions.node.split('.').map(Number)
const [command = '', ...args] = process.argv.slice(2)
if (major < 20) {
  print(`Portcullis needs Node 20 or newer; this is ${process.versions.node}.`)
  process.exitCode = 1
} else if (!Object.hasOwn(mains, command)) {
  print(`usage: node infra/local/bootstrap.js ${Object.keys(mains).join('|')} [options]`)
  process.exitCode = 1
} else {
  try {
    await main(/** @type {keyof typeof mains} */ (command), args)
  } catch (error) {
    if (error instanceof CommandFailed) {
      print(`\n${error.output.trimEnd()}\n`)
    }
    print(`${error instanceof Error ? error.message : error}`)
    if (command === 'test') {
      print('0 passed, 1 failed')
    }
    process.exitCode = 1
  }
}
