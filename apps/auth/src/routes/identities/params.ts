import { IdentityName } from '@portcullis/contracts/names'
import { Type } from '@sinclair/typebox'

export const IdentityParams = Type.Object({ identity: IdentityName })
