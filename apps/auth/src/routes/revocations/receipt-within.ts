import type { Receipt } from '@portcullis/contracts'
import type { FastifyInstance } from 'fastify'
import { awaitReceipt, getReceipt } from '../../registry/index.js'

/**
 * The receipt as soon as it is complete, or as it stands after `waitMs`, or when auth closes: the
 * revocation is committed, whoever asks can get its receipt from another instance.
 */
export async function receiptWithin(
  app: Pick<FastifyInstance, 'registry' | 'receiptWatch' | 'closing'>,
  id: string,
  waitMs: number,
): Promise<Receipt> {
  const { registry, receiptWatch, closing } = app
  if (waitMs === 0 || closing.aborted) return getReceipt(registry, id)
  let onClosing = () => {}
  const closed = new Promise<Receipt>((resolve, reject) => {
    onClosing = () => getReceipt(registry, id).then(resolve, reject)
    closing.addEventListener('abort', onClosing)
  })
  try {
    return await Promise.race([awaitReceipt(registry, receiptWatch, id, waitMs), closed])
  } finally {
    closing.removeEventListener('abort', onClosing)
  }
}
