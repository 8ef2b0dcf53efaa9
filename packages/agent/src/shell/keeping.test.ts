import {
  type AnySigned,
  createState,
  type Effect,
  type HostId,
  type Incident,
  type MeshRecord,
  type SignedAs,
} from '@muster/protocol'
import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryDisk, createMemoryStore, type Family, type MemoryDisk, type Store } from '../storage/index.ts'
import { createKeeping, type Keeping, type KeepingDeps } from './keeping.ts'
import type { SealOfOrigin } from './seal-of-origin.ts'
import { entryOf, headOf, hostIdOf, MESH, readUnverified, resultOf } from './testing/entries.ts'

const SELF = hostIdOf('L')
const VPS = hostIdOf('v')
const NOW = Date.UTC(2026, 10, 21)
const DAY = 24 * 60 * 60_000

const seal: SealOfOrigin = {
  signed: (record) => record,
  verify: () => undefined,
  verifyLater: async () => undefined,
  isMember: () => true,
}

let disk: MemoryDisk
let store: Store
let keeping: Keeping
let lines: string[]
let deps: KeepingDeps
beforeEach(async () => {
  disk = createMemoryDisk()
  store = await createMemoryStore(disk)
  lines = []
  const at = (level: string) => (phrase: string) => void lines.push(`${level} ${phrase}`)
  const now = () => ({ monotonicMs: 0, bootMs: 0, unixMs: NOW })
  const clock = { now, monotonicMs: () => 0, unixMs: () => NOW }
  const log = { debug: at('debug'), info: at('info'), warn: at('warn') }
  deps = { store, seal, clock, log, read: readUnverified }
  keeping = createKeeping(deps)
})

async function keysOf(family: Family): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const [key] of store.family(family).iterate()) keys.push(key)
  return keys
}

function keepEntry(content: Parameters<typeof entryOf>[0]): Promise<void> {
  const entry = entryOf(content)
  return keeping.keep({ kind: 'keep-entry', entry, head: headOf(entry), ageMs: 0, sync: true })
}

function incident(id: string, aliases: readonly string[] = []): Incident {
  // What is kept of it is nobody's business here but that of its name.
  return { id, aliases, sinceUnixMs: NOW } as unknown as Incident
}

describe('entries', () => {
  test('are in the log, and the last with a rare check is kept apart for as long as there is that check', async () => {
    const rare = resultOf('backup', { everyMs: DAY })
    await keepEntry({ signer: VPS, seq: 1, results: [rare, resultOf('disk')] })
    await keepEntry({ signer: VPS, seq: 2, results: [resultOf('disk')] })
    await keepEntry({ signer: SELF, seq: 1, results: [rare] })
    expect(await keysOf('members')).toEqual([`newest/${SELF}/backup`, `newest/${VPS}/backup`])
    const { heads, entries } = await keeping.restore(2)
    expect(heads[VPS]?.seq).toBe(2)
    expect(entries.map(({ record: { signer, body } }) => `${signer === VPS ? 'vps' : 'me'} ${body.seq}`)).toEqual([
      'me 1',
      'vps 1',
      'vps 2',
    ])
    await keepEntry({ signer: VPS, seq: 3, retired: ['backup', 'disk'] })
    expect(await keysOf('members')).toEqual([`newest/${SELF}/backup`])
  })

  test('whose check may not report for longer than the history goes are kept apart too', async () => {
    const results = [
      resultOf('fast'),
      resultOf('mute', { heartbeat: 'never' }),
      resultOf('late', { status: 'late' }),
      resultOf('broken', { status: 'critical' }),
    ]
    await keepEntry({ signer: VPS, seq: 1, results })
    expect(await keysOf('members')).toEqual(['broken', 'late', 'mute'].map((check) => `newest/${VPS}/${check}`))
    // The good end of a trouble is what the next one counts from; the good runs after it say nothing new.
    const seqOf = async (check: string): Promise<number | undefined> => {
      const bytes = await store.family('members').get(`newest/${VPS}/${check}`)
      const record = bytes === undefined ? null : readUnverified(bytes)
      return record?.domain === 'entry' ? record.body.seq : undefined
    }
    await keepEntry({ signer: VPS, seq: 2, results: [resultOf('broken'), resultOf('fast')] })
    await keepEntry({ signer: VPS, seq: 3, results: [resultOf('broken'), resultOf('fast')] })
    expect([await seqOf('broken'), await seqOf('late'), await seqOf('fast')]).toEqual([2, 1, undefined])
  })

  test('of one turn are one write, in their order', async () => {
    const appended: number[] = []
    keeping = createKeeping({
      ...deps,
      store: {
        ...store,
        log: {
          ...store.log,
          append(entries, options) {
            appended.push(entries.length)
            expect(options).toEqual({ sync: true })
            return store.log.append(entries, options)
          },
        },
      },
    })
    await Promise.all(
      [1, 2, 3].map((seq) => {
        const entry = entryOf({ signer: VPS, seq, results: [resultOf('disk')] })
        return keeping.keep({ kind: 'keep-entry', entry, head: headOf(entry), ageMs: 0, sync: seq === 2 })
      }),
    )
    expect(appended).toEqual([3])
    expect((await store.log.read({ host: VPS })).map(({ seq }) => seq)).toEqual([1, 2, 3])
  })

  test('that cannot be signed cost themselves, not those that came with them', async () => {
    const refusing: SealOfOrigin = {
      ...seal,
      signed(record) {
        if (record.domain === 'entry' && record.body.seq === 2) throw new Error('no key')
        return record
      },
    }
    keeping = createKeeping({ ...deps, seal: refusing })
    await Promise.all([1, 2, 3].map((seq) => keepEntry({ signer: VPS, seq, results: [resultOf('disk')] })))
    expect((await store.log.read({ host: VPS })).map(({ seq }) => seq)).toEqual([1, 3])
    expect(keeping.trouble()?.reason).toBe('no key')
  })

  test('that the disk does not take do not end a trouble that is kept apart', async () => {
    await keepEntry({ signer: VPS, seq: 1, results: [resultOf('disk', { status: 'critical' })] })
    disk.failWrites('disk-full')
    await keepEntry({ signer: VPS, seq: 2, results: [resultOf('disk')] })
    disk.failWrites(undefined)
    await keepEntry({ signer: VPS, seq: 3, results: [resultOf('disk')] })
    const bytes = await store.family('members').get(`newest/${VPS}/disk`)
    const kept = bytes === undefined ? null : readUnverified(bytes)
    expect(kept?.domain === 'entry' ? kept.body.seq : null).toBe(3)
  })

  test('of a check that was retired long ago do not bring it back at a start', async () => {
    await keepEntry({ signer: VPS, seq: 1, results: [resultOf('backup', { everyMs: DAY })] })
    await keepEntry({ signer: VPS, seq: 2, retired: ['backup'] })
    for (let seq = 3; seq < 320; seq += 1) await keepEntry({ signer: VPS, seq, results: [resultOf('disk')] })
    const presence = { everyMs: 10_000, graceMs: 5_000, sleeps: false, restartMs: 300_000 }
    const options = { mesh: MESH, self: SELF, name: 'me', presence, remindMs: 1, tickMs: 250, seed: 1, without: [] }
    const state = createState(options, await keeping.restore(2), { monotonicMs: 0, bootMs: 0, unixMs: NOW })
    expect([...(state.results.get(VPS)?.keys() ?? [])]).toEqual(['disk'])
  })
})

test('an incident that got another name is kept under that alone', async () => {
  await keeping.keep({ kind: 'incident', incident: incident('a') })
  await keeping.keep({ kind: 'incident', incident: incident('b', ['a', 'c']) })
  expect(await keysOf('incidents')).toEqual(['b'])
  expect((await keeping.restore(1)).incidents.map(({ id }) => id)).toEqual(['b'])
})

test('what another host signed is read back wherever its certificate stands among the records', async () => {
  const certified = new Set<HostId>()
  // As the real reader does: nobody is believed before the record that brings their certificate was read.
  const read = (bytes: Uint8Array): AnySigned | null => {
    const record = readUnverified(bytes)
    if (record?.domain === 'record' && record.body.kind === 'member') certified.add(record.signer)
    return record !== null && certified.has(record.signer) ? record : null
  }
  const of = (signer: HostId, body: MeshRecord): SignedAs<'record'> =>
    ({ domain: 'record', version: 1, mesh: MESH, signer, body, signature: new Uint8Array(64) }) as SignedAs<'record'>
  const member = of(VPS, {
    kind: 'member',
    name: 'vps',
    addresses: [],
    wakuAddresses: [],
    everyMs: 10_000,
    graceMs: 5_000,
    sleeps: false,
    certificate: new Uint8Array(1),
    serial: 1,
  })
  const recipient = of(VPS, { kind: 'recipient', name: 'phone', atUnixMs: NOW, publicKey: new Uint8Array(33) })
  for (const [before, after] of [
    [member, recipient],
    [recipient, member],
  ] as const) {
    certified.clear()
    store = await createMemoryStore(createMemoryDisk())
    keeping = createKeeping({ ...deps, store, read })
    await keeping.keep({ kind: 'keep-record', id: 'a', record: before, ageMs: 0 })
    await keeping.keep({ kind: 'keep-record', id: 'b', record: after, ageMs: 0 })
    const { carried } = await keeping.restore(2)
    expect(carried.map(({ record }) => record.domain === 'record' && record.body.kind).sort()).toEqual([
      'member',
      'recipient',
    ])
  }
})

test('a record that is dropped is gone from wherever it was', async () => {
  for (const family of ['verdicts', 'notice-log', 'mesh-records'] as const) {
    await store.family(family).put('r', new Uint8Array(1), { sync: true })
    await store.family(family).put('s', new Uint8Array(1), { sync: true })
  }
  await keeping.keep({ kind: 'drop-record', id: 'r' })
  for (const family of ['verdicts', 'notice-log', 'mesh-records'] as const) expect(await keysOf(family)).toEqual(['s'])
})

test('a life above the number on disk raises that too, so that the next start comes after it', async () => {
  await store.nextIncarnation()
  await keeping.keep({ kind: 'keep-life', life: { incarnation: 1, epoch: 1 } })
  expect(await store.lastIncarnation()).toBe(1)
  await keeping.keep({ kind: 'keep-life', life: { incarnation: 9, epoch: 0 } })
  expect(await store.lastIncarnation()).toBe(9)
})

test('time spent of checks is read back by their names', async () => {
  await keeping.keep({ kind: 'keep-check-time', check: 'backup', spentMs: 5_000 })
  await keeping.keep({ kind: 'keep-check-time', check: 'a/b', spentMs: 1 })
  await keeping.keep({ kind: 'keep-life', life: { incarnation: 1, epoch: 0 } })
  expect(await keeping.checkTimes()).toEqual({ backup: 5_000, 'a/b': 1 })
})

test('a disk that fails costs what it does not take, and that is said: since when, why, and when it is over', async () => {
  const effect: Effect = { kind: 'keep-check-time', check: 'a', spentMs: 1 }
  await keeping.keep(effect)
  expect(keeping.trouble()).toBeNull()
  disk.failWrites('disk-full')
  await keeping.keep(effect)
  await keeping.keep(effect)
  expect(keeping.trouble()).toEqual({ sinceUnixMs: NOW, reason: 'the disk was told to fail', inMemory: false })
  disk.failWrites(undefined)
  await keeping.keep(effect)
  expect(keeping.trouble()).toBeNull()
  expect(lines).toEqual([
    'warn the store does not take what it is given, muster goes on without',
    'info the store takes writes again',
  ])
})
