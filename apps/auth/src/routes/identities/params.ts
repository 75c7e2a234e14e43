import { IdentityName } from '@portcullis/contracts'
import { Type } from '@sinclair/typebox'

export const IdentityParams = Type.Object({ identity: IdentityName })
