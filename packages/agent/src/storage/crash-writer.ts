/**
 * The victim of the SIGKILL test: writes for ever, and prints a line once a write is acknowledged.
 *
 * Arguments: the store's folder.
 */
import { writeSync } from 'node:fs'
import { createStore } from './store.ts'

const [, , path = ''] = process.argv
const store = await createStore(path)
const incarnation = await store.nextIncarnation()
writeSync(1, `incarnation ${incarnation}\n`)
for (let seq = 1; ; seq += 1) {
  const bytes = new Uint8Array(300 + ((seq * 997) % 20_000)).fill(seq)
  const put = store.family('outbox').put(`${incarnation}/${seq}`, bytes, { sync: true })
  const entry = { host: 'child', incarnation, seq, cid: `${seq}`, bytes, storedAtUnixMs: seq }
  const append = store.log.append([entry], { sync: true })
  await put
  writeSync(1, `record ${incarnation} ${seq}\n`)
  await append
  writeSync(1, `entry ${incarnation} ${seq}\n`)
}
