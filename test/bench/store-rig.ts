/**
 * An agent without its sockets: the store, the inbound side, the core's loop and what performs its effects, put together
 * as `agent.ts` does. The swarm is there and never started, so that what is sent goes nowhere.
 */

import { systemClock as clock } from '../../packages/agent/src/clock.ts'
import { loadConfig } from '../../packages/agent/src/config/load.ts'
import { type Folder, resolveFolder } from '../../packages/agent/src/identity/folder.ts'
import { readHostKey } from '../../packages/agent/src/identity/host-key.ts'
import { readSwarmKey } from '../../packages/agent/src/identity/swarm-key.ts'
import type { Log } from '../../packages/agent/src/log.ts'
import { createLoop, type Loop } from '../../packages/agent/src/loop.ts'
import { flightDiskOf, flightFolderOf } from '../../packages/agent/src/recorder/flight-disk.ts'
import { createFlightRecorder } from '../../packages/agent/src/recorder/flight-recorder.ts'
import { createInbound, type Inbound } from '../../packages/agent/src/shell/inbound.ts'
import { createKeeping, type Keeping } from '../../packages/agent/src/shell/keeping.ts'
import { createOrigin, type Origin } from '../../packages/agent/src/shell/origin.ts'
import { createPerforming, type Performing } from '../../packages/agent/src/shell/performing.ts'
import { createTelling } from '../../packages/agent/src/shell/telling.ts'
import { diskOf, openFallbackStore, type Store } from '../../packages/agent/src/storage/index.ts'
import { createSupervisor } from '../../packages/agent/src/supervisor.ts'
import { createSwarm } from '../../packages/agent/src/swarm/create-swarm.ts'
import { createState } from '../../packages/protocol/src/index.ts'

const SILENT: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** The parts of an agent that take in what peers send, and keep it. */
export interface Rig {
  readonly origin: Origin
  readonly inbound: Inbound
  readonly loop: Loop
  readonly store: Store
  readonly keep: Keeping['keep']
  /** Resolves when all that came is judged and on the disk, past an fsync. */
  durable(): Promise<void>
  /** Stops in order. Throws when something went wrong meanwhile. */
  stop(): Promise<void>
}

/** The folder of a host. */
function folderOf(dir: string): Folder {
  return resolveFolder({ dir, env: {}, homeDir: dir, workingDir: dir })
}

/** Starts on a folder that `muster init` made, with at least this incarnation. */
export async function startRig(dir: string, incarnationMin: number): Promise<Rig> {
  const folder = folderOf(dir)
  const { config } = await loadConfig(folder.config, 'bench')
  const keys = { swarmKey: await readSwarmKey(folder.swarmKey), hostKey: await readHostKey(folder.identityKey) }
  const origin = createOrigin({ ...keys, name: config.host }, clock)
  const { self, mesh, seal, sign, certificate, meshWakuKey } = origin
  const store = await openFallbackStore(diskOf(folder.data), { clock, log: SILENT })
  const stopping = new AbortController()
  const { signal } = stopping
  const supervisor = createSupervisor({ log: SILENT, clock })
  const troubles: string[] = []

  const made: { loop?: Loop; performing?: Performing } = {}
  const loop = (): Loop => made.loop as Loop
  const inbound = createInbound({ mesh, seal, loop, log: SILENT })
  const keeping = createKeeping({ store, seal, clock, log: SILENT, read: inbound.storedLater })
  const log = SILENT
  const telling = createTelling({
    waku: () => null,
    nodes: () => [],
    meshWakuKey,
    sign,
    certificate,
    store,
    clock,
    log,
    loop,
    signal,
  })
  const swarm = createSwarm(
    { privateKey: keys.hostKey.seed, swarmKeys: [keys.swarmKey], listen: [] },
    {
      onFrame: async () => 'ignore',
      onProbe: () => Promise.reject(new Error('nobody is connected')),
      async *onCatchUp() {},
      admit: async () => false,
      hello: () => certificate,
      onPeer: () => undefined,
    },
    { log, clock, random: Math.random },
  )
  const shared = { mesh, seal, inbound, keeping, telling, store, clock, supervisor, log, loop, signal }
  made.performing = createPerforming({ ...shared, swarm: () => swarm, onChange: () => undefined })
  const { perform } = made.performing
  const incarnation = await store.nextIncarnation(incarnationMin)
  const { presence, notify } = config
  const first = createState(
    { mesh, self, name: config.host, presence, remindMs: notify.remindMs, tickMs: 250, seed: 1, without: [] },
    await store.readBack(() => keeping.restore(incarnation)),
    clock.now(),
  )
  const disk = flightDiskOf(flightFolderOf(folder.data))
  const recorder = createFlightRecorder(first, { disk, release: 'bench', clock, log })
  made.loop = createLoop(first, {
    now: () => clock.now(),
    perform,
    observe: recorder.observe,
    onDropped: () => void troubles.push('events were dropped'),
    onFailed: (effect, error) => void troubles.push(`${effect.kind}: ${String(error)}`),
  })

  return {
    origin,
    inbound,
    loop: loop(),
    store,
    keep: keeping.keep,
    async durable() {
      await loop().settled()
      // Nothing but the fsync: on the disk is then what was written before, too.
      await store.batch([], { sync: true })
    },
    async stop() {
      await loop().stop()
      telling.stop()
      stopping.abort(new Error('stopping'))
      await recorder.stop()
      await store.close()
      for (const [code, count] of Object.entries(inbound.refused())) troubles.push(`${count} refused: ${code}`)
      const trouble = keeping.trouble()
      if (trouble !== null) troubles.push(trouble.reason)
      if (troubles.length > 0) throw new Error(troubles.slice(0, 3).join(', '))
    },
  }
}
