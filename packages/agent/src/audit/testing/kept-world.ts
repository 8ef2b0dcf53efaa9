/** The folder of a host in a mesh of two, whole, and copies of it that somebody has reached into. */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SignedAs } from '@muster/protocol'
import { type Ended, inProcess } from '../../cli/testing/in-process.ts'
import { headOf } from '../../shell/testing/entries.ts'
import {
  anyId,
  heartbeatBy,
  logOf,
  meddle,
  memberOf,
  memberRecord,
  type Row,
  signedBy,
  storedEntry,
  verdictBy,
  writeFolder,
} from './kept-mesh.ts'

/** The host whose log has two lives with entries, and one without between them. */
export const vps = memberOf('vps-1', 1)
/** The other host. */
export const laptop = memberOf('laptop', 2)
/** A host of another mesh. */
export const stranger = memberOf(
  'stranger',
  3,
  new Uint8Array(32).map((_, index) => index + 99),
)
const vpsLog = logOf(vps, 4, 0, 3)
/** Its log. */
export const laptopLog = logOf(laptop, 5)
/** A place in a log. */
export const at = (incarnation: number, seq: number) => ({ incarnation, seq })
/** One of its entries: four of life 1, then three of life 3. */
export const entryOfVps = (index: number): SignedAs<'entry'> => there(vpsLog[index])
/** A verdict on the host, on a heartbeat that names its entry 4. */
export const verdict = verdictBy(laptop, heartbeatBy(vps, headOf(entryOfVps(3))))
const silence = signedBy(laptop, 'record', { kind: 'silence', matcher: 'vps-1', forMs: 1, atUnixMs: 1 })
/** A line of the notice log. */
export const notice = signedBy(vps, 'notice', {
  step: 'claim',
  incidents: [anyId],
  transition: 'fired',
  recipient: anyId,
  attempt: 1,
})
/** What both hosts say of themselves. */
export const members = [memberRecord(vps, 'vps-1'), memberRecord(laptop, 'laptop')]

/** What is known to be there. */
export function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is none')
  return value
}

/** A place for folders, with a whole one called `whole`. */
export interface KeptWorld {
  readonly home: string
  verify(...args: readonly string[]): Promise<Ended>
  /** A copy of the whole folder with these rows changed. */
  meddled(...rows: readonly Row[]): Promise<string>
  remove(): Promise<void>
}

/** Writes the whole folder. */
export async function createKeptWorld(): Promise<KeptWorld> {
  const home = await mkdtemp(join(tmpdir(), 'muster-verify-'))
  const entries = [...vpsLog, ...laptopLog].map((entry, index) => storedEntry(entry, index))
  await writeFolder(join(home, 'whole'), entries, [...members, verdict, silence, notice])
  let count = 0
  return {
    home,
    verify: (...args) => inProcess(home, ['verify', ...args]),
    async meddled(...rows) {
      count += 1
      const path = join(home, `meddled-${count}`)
      await cp(join(home, 'whole'), path, { recursive: true })
      await meddle(path, rows)
      return path
    },
    remove: () => rm(home, { recursive: true }),
  }
}
