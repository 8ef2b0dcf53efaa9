/** A host's own log, read from its store while its agent does not run. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createStore } from '../../packages/agent/src/storage/index.ts'
import { parseRecord, wireLimits } from '../../packages/protocol/src/index.ts'
import type { Host } from '../e2e/host.ts'

/** One entry, as it says itself where it stands. */
export interface OwnEntry {
  readonly cid: string
  readonly previous: string | null
  readonly incarnation: number
  readonly seq: number
}

/** Reads the whole log, oldest first. Throws when the store was found damaged, or a record in it cannot be read. */
export async function readOwnLog(host: Host, mesh: string, id: string): Promise<readonly OwnEntry[]> {
  const store = await createStore(join(host.dir, 'data'))
  try {
    if (store.setAside !== undefined) throw new Error(`the store of ${host.name} was damaged: ${store.setAside}`)
    const entries: OwnEntry[] = []
    for (;;) {
      const last = entries.at(-1)
      const from = last === undefined ? {} : { from: { incarnation: last.incarnation, seq: last.seq + 1 } }
      const page = await store.log.read({ host: id, ...from })
      if (page.length === 0) return entries
      for (const { bytes, cid } of page) {
        const record = parseRecord(bytes, { mesh, bytesMax: wireLimits.recordBytes })
        if (record.domain !== 'entry') throw new Error(`a ${record.domain} is in the log of ${host.name}`)
        const { life, seq, previous } = record.body
        entries.push({ cid, previous, incarnation: life.incarnation, seq })
      }
    }
  } finally {
    await store.close()
  }
}

/** What is wrong with a log as a chain; empty when each entry follows the one before. */
export function breaksOf(entries: readonly OwnEntry[]): readonly string[] {
  return entries.flatMap((entry, index) => {
    const before = entries[index - 1]
    const name = `${entry.incarnation}.${entry.seq}`
    const broken: string[] = []
    if (entry.previous !== (before?.cid ?? null)) broken.push(`${name} does not name the entry before it`)
    const first = before === undefined || before.incarnation < entry.incarnation
    if (first ? entry.seq !== 1 : entry.seq !== before.seq + 1) broken.push(`${name} is not the next number`)
    return broken
  })
}

/** The number of the newest start that is on the disk. */
export async function incarnationOf(host: Host): Promise<number> {
  return Number(await readFile(join(host.dir, 'data', 'incarnation'), 'utf8'))
}
