import type { AuditEntry } from '@portcullis/contracts/audit'
import type { Output } from './output.js'
import { printable } from './printable.js'
import type { Column } from './table.js'

/** Returns a table of audit entries. */
export function auditList(out: Output, entries: readonly AuditEntry[]): string {
  const columns: Column<AuditEntry>[] = [
    { head: 'AT', value: ({ at }) => timeText(at), whole: true },
    {
      head: 'RESULT',
      value: ({ result }) => result,
      whole: true,
      paint: (text) => resultColour(out, text),
    },
    { head: 'ACTION', value: ({ action }) => action, whole: true },
    { head: 'ACTOR', value: actorText },
    { head: 'TARGET', value: targetText },
    { head: 'ERROR', value: errorText },
    { head: 'FROM', value: ({ address = '' }) => address },
  ]
  return out.table(columns, entries, 'no entries')
}

/** Returns one entry as a line, for a log that is followed. */
export function auditLine(out: Output, entry: AuditEntry): string {
  const { at, result, action, address } = entry
  const from = address === undefined ? '' : `from ${address}`
  const rest = [actorText(entry), targetText(entry), errorText(entry), from]
  const head = `${out.paint.dim(timeText(at))}  ${resultColour(out, result.padEnd(7))}`
  const words = [action.padEnd(18), ...rest].filter((part) => part !== '').map(printable)
  return `${head}  ${words.join('  ')}`
}

/** Returns date and time in local time. */
function timeText(at: number): string {
  const date = new Date(at)
  const two = (n: number) => String(n).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`
}

/** Returns the actor; a `?` marks an identity that the caller claimed but did not prove. */
function actorText({ actor, requestId, count }: AuditEntry): string {
  if (actor === undefined) {
    return requestId === undefined && count === undefined ? '(auth itself)' : '(unknown)'
  }
  const { identity, subject, claimed } = actor
  const who = subject === undefined || subject === identity ? identity : `${identity}/${subject}`
  return claimed ? `${who}?` : who
}

/** Returns the error; `×n` when the entry stands for n requests. */
function errorText({ error = '', count }: AuditEntry): string {
  return count === undefined ? error : `${error} ×${count}`
}

function targetText({ target = {} }: AuditEntry): string {
  return Object.entries(target)
    .map(([name, value]) => (name === 'identity' ? value : `${name} ${value}`))
    .join(', ')
}

function resultColour({ paint }: Output, text: string): string {
  if (text.startsWith('ok')) {
    return paint.green(text)
  }
  return text.startsWith('refused') ? paint.yellow(text) : paint.red(text)
}
