/**
 * The event log of OrbitDB, as a process of its own. It is copied into the folder that its packages were installed in, and
 * imports nothing of ours:
 *
 *   write FILE COUNT SECONDS   adds COUNT entries, whose bytes are in FILE, for so many seconds at most
 *   reopen ADDRESS             opens what was written, and then reads all of it
 *
 * Prints one line of JSON.
 */
import { closeSync, openSync, readSync } from 'node:fs'

interface EventLog {
  readonly address: string
  add(value: Uint8Array): Promise<string>
  iterator(): AsyncIterable<unknown>
  close(): Promise<void>
}

interface OrbitDb {
  open(address: string, options: { readonly sync: boolean }): Promise<EventLog>
  stop(): Promise<void>
}

interface Opened {
  readonly log: EventLog
  close(): Promise<void>
}

/** Packages that are there where this file was copied to, and nowhere else. */
const load = async (name: string): Promise<Record<string, (options?: unknown) => unknown>> => await import(name)

/** Loads the packages; what opens a log by its name or address then takes no time for that. */
async function loadOrbit(): Promise<(address: string) => Promise<Opened>> {
  const { createLibp2p } = await load('libp2p')
  const { createHelia } = await load('helia')
  const { createOrbitDB } = await load('@orbitdb/core')
  const { gossipsub } = await load('@libp2p/gossipsub')
  const { identify } = await load('@libp2p/identify')
  const { LevelBlockstore } = (await import('blockstore-level' as string)) as {
    LevelBlockstore: new (path: string) => { open(): Promise<void>; close(): Promise<void> }
  }

  /** As its README has it, with everything on the disk: without a peer, and without trying to find any. */
  return async (address) => {
    const services = { pubsub: gossipsub?.({ allowPublishToZeroTopicPeers: true }), identify: identify?.() }
    const libp2p = await createLibp2p?.({ services })
    const blockstore = new LevelBlockstore('./data/ipfs')
    await blockstore.open()
    const ipfs = (await createHelia?.({ libp2p, blockstore })) as { stop(): Promise<void> }
    const orbit = (await createOrbitDB?.({ ipfs, id: 'bench', directory: './data/orbitdb' })) as OrbitDb
    const log = await orbit.open(address, { sync: false })
    return {
      log,
      async close() {
        await log.close()
        await orbit.stop()
        await ipfs.stop()
        await blockstore.close()
      },
    }
  }
}

async function write(path: string, count: number, secondsMax: number): Promise<unknown> {
  const open = await loadOrbit()
  const { log, close } = await open('history')
  const file = openSync(path, 'r')
  const startMs = performance.now()
  const cpu = process.cpuUsage()
  let written = 0
  while (written < count && performance.now() - startMs < secondsMax * 1_000) {
    await log.add(readEntry(file))
    written += 1
  }
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - startMs) / 1_000
  closeSync(file)
  const { address } = log
  await close()
  return { written, seconds, cpuSeconds: (user + system) / 1_000_000, address }
}

/** The next entry: its length, and its bytes. */
function readEntry(file: number): Uint8Array {
  const head = Buffer.alloc(4)
  readSync(file, head)
  const entry = new Uint8Array(head.readUInt32BE())
  readSync(file, entry)
  return entry
}

async function reopen(address: string): Promise<unknown> {
  const open = await loadOrbit()
  const startMs = performance.now()
  const { log } = await open(address)
  const openedMs = performance.now() - startMs
  let entries = 0
  for await (const _ of log.iterator()) entries += 1
  return { openSeconds: openedMs / 1_000, readSeconds: (performance.now() - startMs - openedMs) / 1_000, entries }
}

const [mode, what = '', count, seconds] = process.argv.slice(2)
const result = mode === 'write' ? await write(what, Number(count), Number(seconds)) : await reopen(what)
process.stdout.write(`${JSON.stringify(result)}\n`)
process.exit(0)
