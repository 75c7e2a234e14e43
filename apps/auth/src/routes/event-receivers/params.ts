import { ReceiverId } from '@portcullis/contracts'
import { Type } from '@sinclair/typebox'

export const ReceiverParams = Type.Object({ id: ReceiverId })
