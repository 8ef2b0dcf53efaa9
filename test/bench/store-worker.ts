/**
 * Works on a store in a process of its own, with the flags of an agent:
 *
 *   fill DIR HOSTS ENTRIES FRESH   takes in the history of so many hosts with so many entries each, by a catch-up, and
 *                                  writes frames with FRESH more entries of each other host into DIR/frames
 *   ingest DIR BATCH               takes in these frames as they come by gossip, and times each BATCH of entries
 *   write DIR COUNT FILE           writes so many entries of this host's own, and their bodies into FILE as well
 *   reopen DIR                     starts on it, and then reads all of it
 *
 * Prints one line of JSON for each thing done.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateHostKey } from '../../packages/agent/src/identity/host-key.ts'
import { packed, unpacked } from '../../packages/agent/src/swarm/frame-packing.ts'
import { type Carried, cidOf, encodeCanonical, encodeFrame, encodeFrames } from '../../packages/protocol/src/index.ts'
import { type Author, createAuthorLog, LIVES, membershipOf, noticesOf } from './store-history.ts'
import { type Rig, startRig } from './store-rig.ts'

/** Entries that a peer reads from its disk at a time while it answers a catch-up. */
const PAGE = 200
/** Own entries that are written together. */
const GROUP = 100
/** Frames that wait for the core together: as many as one turn of the sockets may bring. */
const TURN = 20

const print = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

async function fill(dir: string, hosts: number, entries: number, fresh: number): Promise<void> {
  const startMs = performance.now()
  const rig = await startRig(dir, LIVES + 1)
  const { origin } = rig
  const nowUnixMs = Date.now()
  const authors: readonly Author[] = Array.from({ length: hosts }, (_, index) =>
    index === 0 ? { key: origin.hostKey, name: 'host-1' } : { key: generateHostKey(), name: `host-${index + 1}` },
  )
  const peer = authors[1]?.key.hostId ?? ''
  /** One catch-up with a peer: frames of the size that it sends, each taken in before the next. */
  const catchUp = async (carried: readonly Carried[]): Promise<void> => {
    for (const frame of encodeFrames(carried)) {
      rig.inbound.caughtUp(peer, frame)
      await rig.loop.settled()
    }
  }

  await catchUp(membershipOf(authors, origin.swarmKey, nowUnixMs))
  const logs = authors.map((author) => createAuthorLog(author, origin.mesh, entries, nowUnixMs))
  let results = 0
  for (const log of logs) {
    for (let first = 0; first < entries; first += PAGE) {
      const page = [...log.next(Math.min(PAGE, entries - first), true)]
      for (const { record } of page) results += record.body.results.length
      await catchUp(page)
    }
  }
  await catchUp(noticesOf(authors, origin.mesh, entries))
  await rig.durable()
  await writeFrames(
    join(dir, 'frames'),
    logs.slice(1).map((log) => [...log.next(fresh, false)]),
  )
  await checkHeld(rig, authors, entries)
  await rig.stop()
  print({ results, entries: entries * hosts, seconds: (performance.now() - startMs) / 1_000 })
}

/** A store with less than was sent would be a quick one. */
async function checkHeld({ store, loop }: Rig, authors: readonly Author[], entries: number): Promise<void> {
  for (const { key, name } of authors) {
    const held = await store.log.read({ host: key.hostId })
    const head = loop.state().heads.get(key.hostId)
    const seqs = Math.ceil(entries / LIVES)
    if (held.length === 0 || head?.incarnation !== LIVES || head.seq < seqs - 1) throw new Error(`${name} is not whole`)
  }
}

/** One gossiped frame for each entry, hosts by turns, as they are published: length and bytes. */
async function writeFrames(path: string, logs: readonly (readonly Carried[])[]): Promise<void> {
  const parts: Buffer[] = []
  for (let index = 0; index < (logs[0]?.length ?? 0); index += 1) {
    for (const log of logs) {
      const one = log[index]
      if (one === undefined) continue
      const bytes = packed(encodeFrame([{ record: one.record, ageMs: 0 }]))
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.byteLength)
      parts.push(length, Buffer.from(bytes))
    }
  }
  await writeFile(path, Buffer.concat(parts))
}

async function readFrames(path: string): Promise<readonly Uint8Array[]> {
  const all = await readFile(path)
  const frames: Uint8Array[] = []
  for (let at = 0; at < all.byteLength; ) {
    const end = at + 4 + all.readUInt32BE(at)
    frames.push(new Uint8Array(all.subarray(at + 4, end)))
    at = end
  }
  return frames
}

async function ingest(dir: string, batch: number): Promise<void> {
  const frames = await readFrames(join(dir, 'frames'))
  const rig = await startRig(dir, 1)
  const author = (await rig.store.log.hosts()).find((host) => host !== rig.origin.self) ?? ''
  for (let first = 0; first + batch <= frames.length; first += batch) {
    const before = resultsIn(rig)
    const startMs = performance.now()
    const cpu = process.cpuUsage()
    for (let turn = first; turn < first + batch; turn += TURN) {
      for (const bytes of frames.slice(turn, Math.min(turn + TURN, first + batch))) {
        const verdict = rig.inbound.frame(author, unpacked(bytes), 'gossip')
        if (verdict !== 'accept' && verdict !== 'keep') throw new Error(`an entry was not taken: ${verdict}`)
      }
      await rig.loop.settled()
    }
    await rig.durable()
    const { user, system } = process.cpuUsage(cpu)
    const seconds = (performance.now() - startMs) / 1_000
    print({ entries: resultsIn(rig) - before, cpuSeconds: (user + system) / 1_000_000, seconds })
  }
  await rig.stop()
}

/** Entries of all hosts in the lives that go on, by the newest of each. */
function resultsIn({ loop }: Rig): number {
  return [...loop.state().heads.values()].reduce((sum, { seq }) => sum + seq, 0)
}

/** As the agent writes its own: signed, chained, on the disk before anybody hears of them; a hundred share an fsync. */
async function write(dir: string, count: number, path: string): Promise<void> {
  const rig = await startRig(dir, 1)
  const { hostKey, mesh } = rig.origin
  const log = createAuthorLog({ key: hostKey, name: 'host-1' }, mesh, count, Date.now())
  const file = openSync(path, 'w')
  let [cpuMicros, seconds] = [0, 0]
  for (let written = 0; written < count; written += GROUP) {
    const group = [...log.next(Math.min(GROUP, count - written), false)].map(({ record, ageMs }) => {
      writeEntry(file, encodeCanonical(record.body))
      return { entry: { ...record, signature: new Uint8Array() }, ageMs }
    })
    const startMs = performance.now()
    const cpu = process.cpuUsage()
    await Promise.all(
      group.map(({ entry, ageMs }) => {
        const { life, seq } = entry.body
        const head = { incarnation: life.incarnation, seq, cid: cidOf(encodeCanonical(entry.body)) }
        return rig.keep({ kind: 'keep-entry', entry, head, ageMs, sync: true })
      }),
    )
    const { user, system } = process.cpuUsage(cpu)
    cpuMicros += user + system
    seconds += (performance.now() - startMs) / 1_000
  }
  closeSync(file)
  await rig.stop()
  print({ written: count, seconds, cpuSeconds: cpuMicros / 1_000_000 })
}

function writeEntry(file: number, bytes: Uint8Array): void {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.byteLength)
  writeSync(file, length)
  writeSync(file, bytes)
}

async function reopen(dir: string): Promise<void> {
  const startMs = performance.now()
  const rig = await startRig(dir, 1)
  const openSeconds = (performance.now() - startMs) / 1_000
  const host = rig.origin.self
  let entries = 0
  let from = { incarnation: 0, seq: 0 }
  for (;;) {
    const page = await rig.store.log.read({ host, from })
    for (const { bytes } of page) if (rig.inbound.stored(bytes)?.domain === 'entry') entries += 1
    const last = page.at(-1)
    if (last === undefined) break
    from = { incarnation: last.incarnation, seq: last.seq + 1 }
  }
  print({ openSeconds, readSeconds: (performance.now() - startMs) / 1_000 - openSeconds, entries })
  await rig.stop()
}

const [mode, dir = '', ...numbers] = process.argv.slice(2)
const [first = 0, second = 0, third = 0] = numbers.map(Number)
if (mode === 'fill') await fill(dir, first, second, third)
else if (mode === 'ingest') await ingest(dir, first)
else if (mode === 'write') await write(dir, first, numbers[1] ?? '')
else if (mode === 'reopen') await reopen(dir)
else throw new Error('fill, ingest, write or reopen')
// Timers of parts that never began would keep it alive.
process.exit(0)
