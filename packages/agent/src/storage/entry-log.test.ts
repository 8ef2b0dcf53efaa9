import { expect, test } from 'vitest'
import { createEntryLog, type StoredEntry } from './entry-log.ts'
import { createMemoryDisk } from './memory-driver.ts'

const HOST = `12D3KooW${'v'.repeat(44)}`

function entry(seq: number, said = 'first'): StoredEntry {
  return { host: HOST, incarnation: 1, seq, cid: 'x', bytes: Buffer.from(`${said} ${seq}`), storedAtUnixMs: 1 }
}

/** A log, and how often it looked at the disk for a single key. */
function createCountedLog() {
  const disk = createMemoryDisk()
  const driver = disk.open()
  const looks = { count: 0 }
  const log = createEntryLog({
    ...driver,
    get(key) {
      looks.count += 1
      return driver.get(key)
    },
  })
  return { disk, log, looks }
}

test('what goes on from the newest is written without a look at the disk', async () => {
  const { log, looks } = createCountedLog()
  for (let seq = 1; seq <= 20; seq += 1) expect(await log.append([entry(seq)], { sync: true })).toBe(1)
  expect(looks.count).toBe(0)
  expect(await log.append([entry(7, 'second'), entry(21)], { sync: true })).toBe(1)
  expect(looks.count).toBe(1)
  expect((await log.read({ host: HOST })).map(({ bytes }) => Buffer.from(bytes).toString())[6]).toBe('first 7')
})

test('what a failing disk did not take is written when it comes again', async () => {
  const { disk, log } = createCountedLog()
  await log.append([entry(1)], { sync: true })
  disk.failWrites('disk-full')
  await expect(log.append([entry(2), entry(3)], { sync: true })).rejects.toMatchObject({ code: 'disk-full' })
  disk.failWrites(undefined)
  expect(await log.append([entry(2)], { sync: true })).toBe(1)
  expect((await log.head(HOST))?.seq).toBe(2)
})
