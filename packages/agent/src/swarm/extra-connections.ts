/** Which connections to a member are one too many: pure, because two hosts must come to the same end. */

/** One connection to a member, as one side sees it. */
export interface Road {
  /** Whether I dialled it. */
  readonly isMine: boolean
  readonly isDirect: boolean
  /** When it was let in, in monotonic milliseconds. */
  readonly sinceMs: number
}

/**
 * The connections that I shall close. They are always my own: only who dialled a connection closes it as an extra, and
 * only while it sees another; so two sides never close each other's last one.
 * - A direct connection makes relayed ones extra.
 * - Of two alike, the one that the host with the lower id dialled stays.
 * - Of several that I dialled, the oldest stays.
 */
export function extrasOf<R extends Road>(roads: readonly R[], isMineLower: boolean): R[] {
  const directOnes = roads.filter(({ isDirect }) => isDirect)
  const best = directOnes.length > 0 ? directOnes : roads
  const mine = best.filter(({ isMine }) => isMine).sort((a, b) => a.sinceMs - b.sinceMs)
  const hasTheirs = best.some(({ isMine }) => !isMine)
  const kept = hasTheirs && !isMineLower ? undefined : mine[0]
  return roads.filter((road) => road.isMine && road !== kept)
}
