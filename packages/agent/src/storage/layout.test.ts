import { expect, test } from 'vitest'
import type { StoredEntry } from './entry-log.ts'
import { createEntryLog } from './entry-log.ts'
import { createKeyValue } from './key-value.ts'
import { createMemoryDisk } from './memory-driver.ts'

test('the layout keeps its bytes: a change is a new FORMAT_VERSION', async () => {
  const driver = createMemoryDisk().open()
  const entry: StoredEntry = {
    host: '12D3',
    incarnation: 2,
    seq: 258,
    cid: 'bafy',
    bytes: Uint8Array.of(1, 2),
    storedAtUnixMs: 1_700_000_000_000,
  }
  await createEntryLog(driver).append([entry], { sync: true })
  await createKeyValue(driver, 'outbox').put('a/1', Uint8Array.of(9), { sync: true })
  const dump: string[] = []
  for await (const [key, value] of driver.iterate({ gte: Uint8Array.of(0), lt: Uint8Array.of(0xff) })) {
    dump.push(`${Buffer.from(key).toString('hex')} = ${Buffer.from(value).toString('hex')}`)
  }
  const place = '653132443300' + '0000000000000002' + '0000000000000102'
  expect(dump).toEqual([
    `${place} = a361611b0000018bcfe56800616242010261636462616679`,
    `666f7574626f7800612f31 = 09`,
    `740000018bcfe56800${place} = `,
  ])
})
