import { ReceiverId } from '@portcullis/contracts/event-receivers'
import { Type } from '@sinclair/typebox'

export const ReceiverParams = Type.Object({ id: ReceiverId })
