import { EventReceiver, type ReceiverStatus } from '@portcullis/contracts/event-receivers'
import type { Command } from 'commander'
import type { OpenSession } from '../../session/session.js'
import { idHelp, receiverPath } from './path.js'
import { receiverNeed } from './receiver-need.js'

export function pauseCommand(receiver: Command, open: OpenSession): void {
  setStatus(
    receiver.command('pause').description('keep events in the queue and deliver none'),
    open,
    'paused',
  )
}

export function resumeCommand(receiver: Command, open: OpenSession): void {
  setStatus(
    receiver.command('resume').description('deliver events again, queued ones first'),
    open,
    'enabled',
  )
}

function setStatus(command: Command, open: OpenSession, status: ReceiverStatus): void {
  command
    .argument('<id>', idHelp)
    .action(async (id: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const request = { method: 'PATCH', json: { status } } as const
      const changed = await auth(receiverNeed).call(EventReceiver, receiverPath(id), request)
      out.show(changed, () => `${id} is ${status}; ${changed.progress.pending} queued`)
    })
}
