/** The recorder on good and bad disks: what is on the disk is bounded, comes to the same, and costs nobody anything. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { State } from '@muster/protocol'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { mountSmallDisk, whyNoSmallDisk } from '../storage/testing/small-disk.ts'
import { type FlightDisk, flightDiskOf, listSegments, segmentName } from './flight-disk.ts'
import { createFlightRecorder, type FlightRecorder } from './flight-recorder.ts'
import { readSegment } from './reading.ts'
import { type ReplayEnd, replaySegment } from './replaying.ts'
import { tellStory } from './story.ts'
import { namedLives, type SimulatedLife, type SimulatedStep, withPlainMaps } from './testing/simulated-lives.ts'

const ROOM = { bytes: 60_000, segmentBytes: 12_000 }

let life: SimulatedLife
let folder: string
let said: string[]

beforeAll(() => {
  const [first] = namedLives('three hosts, one is killed and returns')
  if (first === undefined) throw new Error('no life')
  life = first
})

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-flight-'))
  said = []
})

afterEach(() => rm(folder, { recursive: true }))

const note = (phrase: string, { reason = '' }: Readonly<Record<string, unknown>> = {}): void => {
  said.push(`${phrase} ${reason}`.trim())
}
const log = { debug: () => undefined, info: note, warn: note }

function recorderOn(disk: FlightDisk, first: State = life.first): FlightRecorder {
  const clock = { monotonicMs: () => performance.now() }
  return createFlightRecorder(first, { disk, release: 'test', clock, log, room: ROOM, flushMs: 1, retryMs: 1 })
}

function observe(recorder: FlightRecorder, steps: readonly SimulatedStep[]): void {
  for (const { event, effects, state } of steps) recorder.observe(event, effects, state)
}

/** As fast as the recorder writes: the small room has a small queue. */
async function feed(recorder: FlightRecorder, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 5) {
    observe(recorder, life.steps.slice(at, Math.min(at + 5, to)))
    await recorder.settled()
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1))
}

interface Read {
  readonly name: string
  readonly continues: boolean
  readonly first: State
  readonly end: ReplayEnd
  readonly differences: number
}

async function readAll(path = folder): Promise<readonly Read[]> {
  const files = await listSegments(path)
  return await Promise.all(
    files.map(async ({ name }) => {
      const segment = readSegment(await readFile(join(path, name)))
      const replay = replaySegment(segment)
      let differences = 0
      let next = replay.next()
      for (; next.done !== true; next = replay.next()) if (!next.value.isSame) differences += 1
      return { name, continues: segment.head.continues, first: segment.first, end: next.value, differences }
    }),
  )
}

/** How often the story of the folder begins: once, and anew after what is missing. */
async function beginnings(): Promise<number> {
  const files = await listSegments(folder)
  const recordings = await Promise.all(
    files.map(async ({ name }) => ({ name, bytes: await readFile(join(folder, name)) })),
  )
  return [...tellStory(recordings)].filter(({ text }) => / muster test; /u.test(text)).length
}

const stateAt = (at: number): unknown => withPlainMaps(life.steps.at(at)?.state)

describe('on a good disk', () => {
  test('all segments together come to the very state of the core, each beginning where the one before ended', async () => {
    const recorder = recorderOn(flightDiskOf(folder))
    await feed(recorder, 0, life.steps.length)
    await recorder.stop()
    const segments = await readAll()
    expect(segments.length).toBeGreaterThan(3)
    for (const [at, { continues, first, differences }] of segments.entries()) {
      expect(differences).toBe(0)
      const before = segments[at - 1]
      if (before === undefined) continue
      expect(continues).toBe(true)
      expect(before.end.how).toBe('continued')
      expect(withPlainMaps(before.end.state)).toStrictEqual(withPlainMaps(first))
    }
    expect(segments.at(-1)?.end.how).toBe('stopped')
    expect(await beginnings()).toBe(1)
    await rm(join(folder, segments[0]?.name ?? ''))
    expect(await beginnings()).toBe(1)
    await rm(join(folder, segments[2]?.name ?? ''))
    expect(await beginnings()).toBe(2)
    expect(withPlainMaps(segments.at(-1)?.end.state)).toStrictEqual(stateAt(-1))
    expect(said).toEqual([])
  })

  test('there is never more than the room, and the oldest go first', async () => {
    const disk = flightDiskOf(folder)
    let most = 0
    const look = async (): Promise<void> => {
      const files = await listSegments(folder)
      for (const { bytes } of files) expect(bytes).toBeLessThanOrEqual(ROOM.segmentBytes)
      most = Math.max(
        most,
        files.reduce((sum, { bytes }) => sum + bytes, 0),
      )
    }
    const watched: FlightDisk = {
      ...disk,
      async create(name) {
        const file = await disk.create(name)
        return {
          async append(bytes) {
            await file.append(bytes)
            await look()
          },
          close: () => file.close(),
        }
      },
    }
    for (let round = 0; round < 4; round += 1) {
      const recorder = recorderOn(watched)
      await feed(recorder, 0, life.steps.length)
      await recorder.stop()
    }
    expect(most).toBeGreaterThan(ROOM.bytes / 2)
    expect(most).toBeLessThanOrEqual(ROOM.bytes)
    const names = (await listSegments(folder)).map(({ name }) => name)
    expect(names).not.toContain(segmentName(1))
    expect(said).toEqual([])
  })

  test('nothing is written before the first event, and only its owner may read what is', async () => {
    const inner = join(folder, 'data', 'flight')
    const recorder = recorderOn(flightDiskOf(inner))
    await recorder.settled()
    await expect(stat(inner)).rejects.toMatchObject({ code: 'ENOENT' })
    observe(recorder, life.steps.slice(0, 1))
    await recorder.stop()
    expect((await stat(inner)).mode & 0o777).toBe(0o700)
    expect((await stat(join(inner, segmentName(1)))).mode & 0o777).toBe(0o600)
  })

  test('what was observed is on the disk after a moment, also without a stop', async () => {
    const recorder = recorderOn(flightDiskOf(folder))
    await feed(recorder, 0, 400)
    const [read] = await readAll()
    expect(read?.end.how).toBe('whole')
    expect(withPlainMaps(read?.end.state)).toStrictEqual(stateAt(399))
    await recorder.stop()
  })
})

/** A disk whose writes can be made to hang or to fail. */
function badDisk(): {
  readonly disk: FlightDisk
  hang(): () => void
  failWith(code: string | null): void
  tries(): number
} {
  const real = flightDiskOf(folder)
  let held: Promise<void> = Promise.resolve()
  let code: string | null = null
  let tries = 0
  const attempt = async (): Promise<void> => {
    await held
    if (code !== null) throw Object.assign(new Error(`${code}: it failed`), { code })
  }
  return {
    disk: {
      async list() {
        tries += 1
        await attempt()
        return await real.list()
      },
      remove: (name) => real.remove(name),
      async create(name) {
        const file = await real.create(name)
        return {
          async append(bytes) {
            await attempt()
            await file.append(bytes)
          },
          close: () => file.close(),
        }
      },
    },
    hang() {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return resolve
    },
    failWith(next) {
      code = next
    },
    tries: () => tries,
  }
}

const STOPPED = 'the flight recorder has stopped, it tries again later'
const AGAIN = 'the flight recorder records again'

describe('on a bad disk', () => {
  test('that hangs, it holds a bounded queue, says so once, and begins anew with the state of then', async () => {
    const { disk, hang } = badDisk()
    const recorder = recorderOn(disk)
    await feed(recorder, 0, 100)
    const goOn = hang()
    observe(recorder, life.steps.slice(100, 2_000))
    expect(said).toEqual([`${STOPPED} the disk does not keep up`])
    goOn()
    await until(() => said.includes(AGAIN))
    await feed(recorder, 2_000, 2_200)
    await recorder.stop()
    const segments = await readAll()
    expect(segments.map(({ differences }) => differences)).toEqual(segments.map(() => 0))
    expect(segments.at(-1)?.continues).toBe(false)
    expect(withPlainMaps(segments.at(-1)?.first)).toStrictEqual(stateAt(1_999))
    expect(withPlainMaps(segments.at(-1)?.end.state)).toStrictEqual(stateAt(2_199))
    expect(said).toEqual([`${STOPPED} the disk does not keep up`, AGAIN])
  })

  test.each(['ENOSPC', 'EROFS', 'EIO'])('that fails with %s, it says so once and goes on when it can', async (code) => {
    const { disk, failWith, tries } = badDisk()
    failWith(code)
    const recorder = recorderOn(disk)
    observe(recorder, life.steps.slice(0, 5))
    await until(() => said.length > 0)
    observe(recorder, life.steps.slice(5, 500))
    const before = tries()
    await until(() => tries() > before + 2)
    expect(said).toEqual([`${STOPPED} ${code}: it failed`])
    failWith(null)
    await until(() => said.includes(AGAIN))
    await feed(recorder, 500, 600)
    await recorder.stop()
    const last = (await readAll()).at(-1)
    expect(withPlainMaps(last?.end.state)).toStrictEqual(stateAt(599))
    expect(withPlainMaps(last?.first)).toStrictEqual(stateAt(499))
  })

  test('a stop does not wait for a recorder that has given up', async () => {
    const { disk, failWith } = badDisk()
    failWith('EIO')
    const recorder = recorderOn(disk)
    observe(recorder, life.steps.slice(0, 5))
    await until(() => said.length > 0)
    await recorder.stop()
    observe(recorder, life.steps.slice(5, 10))
    expect(said).toEqual([`${STOPPED} EIO: it failed`])
  })

  test('a snapshot that has no room is a reason to stop, not to grow', async () => {
    const clock = { monotonicMs: () => 0 }
    const room = { bytes: 2_000, segmentBytes: 1_000 }
    const first = life.steps[1_000]?.state ?? life.first
    const recorder = createFlightRecorder(first, { disk: flightDiskOf(folder), release: 'test', clock, log, room })
    observe(recorder, life.steps.slice(1_001, 1_002))
    await until(() => said.length > 0)
    expect(said).toEqual([`${STOPPED} there is more to be recorded than a segment holds`])
    await recorder.stop()
    for (const { bytes } of await listSegments(folder)) expect(bytes).toBeLessThanOrEqual(1_000)
  })
})

const noDisk = whyNoSmallDisk()

test.skipIf(noDisk !== null)(
  `a disk that is really full costs the recording alone (${noDisk ?? 'it can be had'})`,
  async () => {
    const disk = mountSmallDisk('256k')
    const path = join(disk.path, 'flight')
    try {
      const recorder = recorderOn(flightDiskOf(path))
      await feed(recorder, 0, 100)
      disk.fill()
      await feed(recorder, 100, 1_500)
      expect(said).toEqual([expect.stringContaining(`${STOPPED} ENOSPC`)])
      disk.makeRoom()
      await until(() => said.includes(AGAIN))
      await feed(recorder, 1_500, 1_600)
      await recorder.stop()
      const segments = await readAll(path)
      expect(segments.every(({ differences }) => differences === 0)).toBe(true)
      expect(withPlainMaps(segments.at(-1)?.end.state)).toStrictEqual(stateAt(1_599))
    } finally {
      disk.unmount()
    }
  },
)
