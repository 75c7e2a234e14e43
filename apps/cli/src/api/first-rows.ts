const maxPageSize = 100

/**
 * Reads a paged list up to `limit` rows. `more` is true when the list has further rows.
 *
 * @param page - reads one page
 */
export async function firstRows<Row>(
  limit: number,
  page: (limit: number, cursor: string | undefined) => Promise<{ rows: Row[]; cursor?: string }>,
): Promise<{ rows: Row[]; more: boolean }> {
  const rows: Row[] = []
  let cursor: string | undefined
  do {
    const got = await page(Math.min(limit - rows.length, maxPageSize), cursor)
    rows.push(...got.rows)
    cursor = got.cursor
  } while (cursor !== undefined && rows.length < limit)
  return { rows, more: cursor !== undefined }
}

/** Returns `filter` with the `limit` and `cursor` of one page. */
export function pageQuery(
  filter: Readonly<URLSearchParams> | Readonly<Record<string, string>>,
  limit: number,
  cursor: string | undefined,
): URLSearchParams {
  const query = new URLSearchParams(filter)
  query.set('limit', `${limit}`)
  if (cursor !== undefined) {
    query.set('cursor', cursor)
  }
  return query
}
