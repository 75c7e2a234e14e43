/**
 * Rows from a list that comes in pages, at most `limit`; `more` when there are further ones.
 */
export async function firstRows<Row>(
  limit: number,
  page: (limit: number, cursor: string | undefined) => Promise<{ rows: Row[]; cursor?: string }>,
): Promise<{ rows: Row[]; more: boolean }> {
  const rows: Row[] = []
  let cursor: string | undefined
  do {
    const got = await page(Math.min(limit - rows.length, 100), cursor)
    rows.push(...got.rows)
    cursor = got.cursor
  } while (cursor !== undefined && rows.length < limit)
  return { rows, more: cursor !== undefined }
}
