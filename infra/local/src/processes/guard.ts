import { type ChildProcess, spawn } from 'node:child_process'

/**
 * The guard's shell script. It reads `+ <pid>` and `- <pid>` lines until its input ends, which happens even
 * if this process is killed with -9. Then it stops the processes that are still listed.
 */
const script = `
trap '' INT TERM HUP
pids=
while read -r sign pid; do
  if [ "$sign" = + ]; then pids="$pids $pid"; continue; fi
  kept=
  for p in $pids; do [ "$p" = "$pid" ] || kept="$kept $p"; done
  pids=$kept
done
[ -n "$pids" ] || exit 0
kill $pids 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
  kill -0 $pids 2>/dev/null || exit 0
  sleep 0.5
done
kill -9 $pids 2>/dev/null
`

let guard: ChildProcess | undefined
let guarded = 0

/**
 * Makes the guard stop the process `pid` if this process ends first. Returns `release`: call it when `pid`
 * has ended, so that the guard does not stop a later process with the same number.
 */
export function guardProcess(pid: number): () => void {
  guard ??= startGuard()
  const { stdin } = guard
  stdin?.write(`+ ${pid}\n`)
  guarded += 1
  let released = false
  return () => {
    if (released) {
      return
    }
    released = true
    guarded -= 1
    stdin?.write(`- ${pid}\n`)
    if (guarded > 0) {
      return
    }
    stdin?.end()
    guard = undefined
  }
}

function startGuard(): ChildProcess {
  // Detached, so that a Ctrl-C or a signal to our process group does not reach the guard.
  const child = spawn('/bin/sh', ['-c', script], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.unref()
  child.on('error', () => undefined)
  child.stdin.on('error', () => undefined)
  return child
}
