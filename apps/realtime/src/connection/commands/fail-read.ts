import { replyErrors } from '@portcullis/protocol'
import type { Unread } from '../node.js'
import type { Session } from '../session.js'

/** Replies that history or presence could not be read. */
export function failRead(session: Session, id: number, reason: Unread): void {
  if (reason === 'tooManyRequests') {
    session.limited(1)
  }
  session.fail(id, replyErrors[reason])
}
