import {
  type CheckSpec,
  createState,
  encodeCanonical,
  encodeRecord,
  type Incident,
  recipientIdOf,
  type State,
  step,
} from '@muster/protocol'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryStore, type Family, type Store } from '../storage/index.ts'
import { entryOf, hostIdOf, MESH, readUnverified, resultOf } from './testing/entries.ts'
import { createTrimming, trimLimits } from './trimming.ts'

const NOW = Date.UTC(2026, 10, 21)
const HOUR = 60 * 60_000
const DAY = 24 * HOUR
const synced = { sync: true }
const SELF = hostIdOf('L')
const VPS = hostIdOf('v')
const STRANGER = hostIdOf('s')
const PHONE = new Uint8Array(33).fill(2)

const CHECK: CheckSpec = {
  name: 'backup',
  kind: 'push',
  everyMs: DAY,
  graceMs: HOUR,
  after: 1,
  recover: 1,
  forMs: 0,
  heartbeat: 'awake',
  tags: [],
}

function incident(id: string, sinceUnixMs: number, resolvedUnixMs: number | null): Incident {
  return {
    id,
    aliases: [],
    host: SELF,
    check: 'disk',
    fault: 'check',
    severity: 'critical',
    state: resolvedUnixMs === null ? 'firing' : 'resolved',
    life: null,
    episode: 1,
    openedAtMs: 0,
    sinceAtMs: 0,
    resolvedAtMs: null,
    worsenedAtMs: null,
    sinceUnixMs,
    resolvedUnixMs,
    voters: [],
    observers: 0,
    because: '',
    outages: 0,
  }
}

/** A core with these incidents, a recipient, a check and a member that it has heard of. */
function stateWith(incidents: readonly Incident[]): State {
  const at = { monotonicMs: 0, bootMs: 0, unixMs: NOW }
  const presence = { everyMs: 10_000, graceMs: 5_000, sleeps: false, restartMs: 300_000 }
  const options = { mesh: MESH, self: SELF, name: 'me', presence, remindMs: 1, tickMs: 250, seed: 1, without: [] }
  const first = createState(options, { incarnation: 1, heads: {}, entries: [], carried: [], incidents }, at)
  const recipient = { kind: 'recipient', name: 'phone', publicKey: PHONE, atUnixMs: 1 } as const
  const told = step(first, { kind: 'command', command: { kind: 'publish', record: recipient }, at }).state
  return step(told, { kind: 'configured', checks: [CHECK], spentMs: {}, at }).state
}

let store: Store
let state: State
beforeEach(async () => {
  store = await createMemoryStore()
  state = stateWith([])
})

const trimming = (limits = trimLimits) =>
  createTrimming({ store, clock: { unixMs: () => NOW }, state: () => state, read: readUnverified }, limits)

async function keysOf(family: Family): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const [key] of store.family(family).iterate()) keys.push(key)
  return keys
}

async function putIncidents(incidents: readonly Incident[]): Promise<void> {
  for (const each of incidents) await store.family('incidents').put(each.id, encodeCanonical(each), synced)
}

test('history of 48 hours stays, and of each host the newest entry', async () => {
  const entry = (seq: number, storedAtUnixMs: number) => ({
    host: VPS,
    incarnation: 1,
    seq,
    cid: `${seq}`,
    bytes: new Uint8Array(1),
    storedAtUnixMs,
  })
  await store.log.append([entry(1, NOW - 50 * HOUR), entry(2, NOW - 49 * HOUR), entry(3, NOW - 47 * HOUR)], synced)
  await store.log.append([{ ...entry(1, NOW - 90 * DAY), host: STRANGER }], synced)
  expect(await trimming().round()).toBe(2)
  expect((await store.log.read({ host: VPS })).map(({ seq }) => seq)).toEqual([3])
  expect(await store.log.hosts()).toEqual([STRANGER, VPS])
})

describe('incidents', () => {
  test('stay while they fire, and two weeks after their end', async () => {
    state = stateWith([incident('fires', NOW - 90 * DAY, null), incident('known-end', NOW - 90 * DAY, NOW - DAY)])
    await putIncidents([
      incident('fires', NOW - 90 * DAY, null),
      incident('known-end', NOW - 90 * DAY, null),
      incident('ended', NOW - 90 * DAY, NOW - 13 * DAY),
      incident('ended-long-ago', NOW - 90 * DAY, NOW - 15 * DAY),
      incident('end-never-written', NOW - 13 * DAY, null),
      incident('end-never-written-long-ago', NOW - 15 * DAY, null),
    ])
    await store.family('incidents').put('garbage', new Uint8Array([0xff, 1]), synced)
    expect(await trimming().round()).toBe(3)
    expect(await keysOf('incidents')).toEqual(['end-never-written', 'ended', 'fires', 'known-end'])
    expect(await trimming().round()).toBe(0)
  })

  test('are at most so many, the newest of them, however they come', async () => {
    const limits = { ...trimLimits, incidents: 4, rowsPerRound: 30 }
    const ended = fc.uniqueArray(fc.integer({ min: 0, max: 20 * 24 }), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(ended, fc.integer({ min: 0, max: 10 }), async (hours, firing) => {
        store = await createMemoryStore()
        const open = Array.from({ length: firing }, (_, index) => incident(`open-${index}`, NOW - 30 * DAY, null))
        state = stateWith(open)
        const rows = hours.map((hour) => incident(`${hour}`, NOW - 30 * DAY, NOW - hour * HOUR))
        await putIncidents([...open, ...rows])
        const each = trimming(limits)
        // Each round is bounded: as many as go through all rows twice are enough.
        for (let round = 0; round < 8; round += 1) await each.round()
        const left = (await keysOf('incidents')).filter((key) => !key.startsWith('open-')).map(Number)
        const young = hours.filter((hour) => hour <= 14 * 24).sort((a, b) => a - b)
        // All were seen in one round: then those left are the newest of all.
        if (hours.length <= 20) expect(left.sort((a, b) => a - b)).toEqual(young.slice(0, 4))
        expect(left.length).toBeLessThanOrEqual(4)
        expect(left.every((hour) => hour <= 14 * 24)).toBe(true)
        expect(await keysOf('incidents')).toHaveLength(left.length + firing)
      }),
      { numRuns: 60 },
    )
  })
})

describe('the outbox', () => {
  const row = (ageMs: number): Uint8Array =>
    encodeCanonical({ contentTopic: '/a', payload: new Uint8Array(3), timestampMs: NOW - ageMs })

  test('keeps notices for as long as they may be sent, and what present recipients were told of nodes', async () => {
    const outbox = store.family('outbox')
    await outbox.put('new', row(47 * HOUR), synced)
    await outbox.put('old', row(49 * HOUR), synced)
    await outbox.put('garbage', new Uint8Array([0xff]), synced)
    await outbox.put(`nodes/${recipientIdOf(PHONE)}`, new Uint8Array(1), synced)
    await outbox.put('nodes/of-somebody-gone', new Uint8Array(1), synced)
    expect(await trimming().round()).toBe(3)
    expect(await keysOf('outbox')).toEqual(['new', `nodes/${recipientIdOf(PHONE)}`])
  })

  test('keeps only the newest of very many', async () => {
    for (let age = 0; age < 10; age += 1) await store.family('outbox').put(`${age}`, row(age * HOUR), synced)
    expect(await trimming({ ...trimLimits, outbox: 3 }).round()).toBe(7)
    expect(await keysOf('outbox')).toEqual(['0', '1', '2'])
  })
})

describe('last entries with rare checks', () => {
  const rare = (signer: string, check: string, atUnixMs: number, everyMs = DAY): Uint8Array =>
    encodeRecord(entryOf({ signer, seq: 1, atUnixMs, results: [resultOf(check, { everyMs, atUnixMs })] }))
  const put = (host: string, check: string, value: Uint8Array) =>
    store.family('members').put(`newest/${host}/${check}`, value, synced)
  /** The newest entry of a host, written at one time by its clock and stored at another by ours. */
  const putHead = async (host: string, atUnixMs: number, storedAtUnixMs: number) => {
    const bytes = encodeRecord(entryOf({ signer: host, seq: 9, atUnixMs }))
    await store.log.append([{ host, incarnation: 1, seq: 9, cid: 'c', bytes, storedAtUnixMs }], synced)
  }

  test('stay while the check may report again, and two weeks more', async () => {
    await putHead(VPS, NOW, NOW)
    await put(VPS, 'daily', rare(VPS, 'daily', NOW - 14 * DAY))
    await put(VPS, 'retired', rare(VPS, 'retired', NOW - 16 * DAY))
    await put(VPS, 'monthly', rare(VPS, 'monthly', NOW - 40 * DAY, 30 * DAY))
    await put(VPS, 'not-in-it', rare(VPS, 'daily', NOW))
    await put(SELF, 'own', rare(SELF, 'own', NOW - 16 * DAY))
    expect(await trimming().round()).toBe(3)
    expect(await keysOf('members')).toEqual([`newest/${VPS}/daily`, `newest/${VPS}/monthly`])
  })

  test('of a host that is gone go with time, by its own clock where that is wrong', async () => {
    await putHead(VPS, 5 * DAY, NOW - 13 * DAY)
    await put(VPS, 'a', rare(VPS, 'a', 4.5 * DAY))
    await putHead(STRANGER, 5 * DAY, NOW - 15 * DAY)
    await put(STRANGER, 'a', rare(STRANGER, 'a', 4.5 * DAY))
    expect(await trimming().round()).toBe(1)
    expect(await keysOf('members')).toEqual([`newest/${VPS}/a`])
  })

  test('that cannot be read go, but not those of a newcomer whose certificate is still to come', async () => {
    await put(SELF, 'a', new Uint8Array(3))
    await putHead(VPS, NOW, NOW)
    await put(VPS, 'a', new Uint8Array(3))
    await put(STRANGER, 'a', new Uint8Array(3))
    await store.family('members').put('other', new Uint8Array(3), synced)
    expect(await trimming().round()).toBe(2)
    expect(await keysOf('members')).toEqual([`newest/${VPS}/a`, 'other'])
  })
})

test('time spent of checks goes when the check is no longer in the config, and nothing else of this life', async () => {
  const life = store.family('life')
  for (const key of ['check-time/backup', 'check-time/gone', 'life']) await life.put(key, encodeCanonical(1), synced)
  expect(await trimming().round()).toBe(1)
  expect(await keysOf('life')).toEqual(['check-time/backup', 'life'])
})

test('a round looks at so much and goes on from there in the next', async () => {
  const life = store.family('life')
  for (let number = 10; number < 35; number += 1)
    await life.put(`check-time/gone-${number}`, encodeCanonical(1), synced)
  await life.put('check-time/backup', encodeCanonical(1), synced)
  const each = trimming({ ...trimLimits, rowsPerRound: 10 })
  expect([await each.round(), await each.round(), await each.round(), await each.round()]).toEqual([9, 10, 6, 0])
  expect(await keysOf('life')).toEqual(['check-time/backup'])
})

test('a round of history is bounded too, and one at a time', async () => {
  for (let first = 1; first <= 3_000; first += 1_000) {
    await store.log.append(
      Array.from({ length: 1_000 }, (_, index) => ({
        host: VPS,
        incarnation: 1,
        seq: first + index,
        cid: 'c',
        bytes: new Uint8Array(1),
        storedAtUnixMs: 1,
      })),
      synced,
    )
  }
  const each = trimming({ ...trimLimits, entriesPerRound: 1_500 })
  expect(await Promise.all([each.round(), each.round()])).toEqual([2_000, 0])
  expect(await each.round()).toBe(999)
})
