/** A folder's store without its agent: what this host knew when it last ran. Nothing is written. */
import { hostname } from 'node:os'
import { createState, parseRecord, type State, wireLimits } from '@muster/protocol'
import type { AgentPort, HistoryEntry, HistoryQuery } from '../agent-port.ts'
import { systemClock } from '../clock.ts'
import { hostNameOf } from '../config/init.ts'
import { loadConfig } from '../config/load.ts'
import type { Folder } from '../identity/folder.ts'
import { readHostKey } from '../identity/host-key.ts'
import { exists } from '../identity/key-file.ts'
import { readSwarmKey } from '../identity/swarm-key.ts'
import { createInbound } from '../shell/inbound.ts'
import { createKeeping } from '../shell/keeping.ts'
import { laterLifeUnixMs } from '../shell/later-life.ts'
import { createOrigin } from '../shell/origin.ts'
import { createStore, lookIntoStore, StorageError, type Store } from '../storage/index.ts'
import { CliError, EXIT } from './cli-error.ts'

const PAGE = 500
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** What was read. */
export interface OfflineStore {
  readonly state: State
  /** Newest first, of one host. */
  history(query: HistoryQuery & { readonly host: string }): AsyncIterable<HistoryEntry>
  readonly returnOf: AgentPort['returnOf']
  close(): Promise<void>
}

/** Opens the store of a folder whose agent does not run. Throws a `CliError`, `ConfigError` or `StorageError`. */
export async function openOffline(folder: Folder): Promise<OfflineStore> {
  if (!(await exists(folder.data))) {
    throw new CliError(
      'no-store',
      EXIT.noAgent,
      `no agent runs on ${folder.path}, and none ever did`,
      'start it with: muster run',
    )
  }
  // The config knows this host's name; a broken one must not keep its history from its owner.
  const machine = hostNameOf(hostname())
  const name = await loadConfig(folder.config, machine).then(
    ({ config }) => config.host,
    () => machine,
  )
  const keys = { swarmKey: await readSwarmKey(folder.swarmKey), hostKey: await readHostKey(folder.identityKey) }
  const { self, mesh, seal } = createOrigin({ ...keys, name }, systemClock)
  const store = await openToRead(folder.data)
  try {
    const inbound = createInbound({ mesh, seal, loop: noLoop, log: SILENT })
    const keeping = createKeeping({ store, seal, clock: systemClock, log: SILENT, read: inbound.storedLater })
    const restored = await keeping.restore(0)
    const state = createState(
      {
        mesh,
        self,
        name,
        presence: { everyMs: 10_000, graceMs: 5_000, sleeps: false, restartMs: 300_000 },
        remindMs: 14_400_000,
        tickMs: 250,
        seed: 0,
        without: [],
      },
      restored,
      systemClock.now(),
    )
    return {
      state,
      async *history({ host, sinceUnixMs = 0, limit }) {
        let left = limit
        let to: { incarnation: number; seq: number } | undefined
        for (;;) {
          const page = await store.log.read({ host, reverse: true, limit: PAGE, ...(to === undefined ? {} : { to }) })
          for (const { bytes, cid } of page) {
            const record = parseRecord(bytes, { mesh, bytesMax: wireLimits.recordBytes })
            if (record.domain !== 'entry') continue
            if (record.body.atUnixMs < sinceUnixMs || left <= 0) return
            left -= 1
            yield { host, cid, entry: record }
          }
          const last = page.at(-1)
          if (last === undefined || page.length < PAGE) return
          to = { incarnation: last.incarnation, seq: last.seq }
        }
      },
      returnOf: (host, life) => laterLifeUnixMs(store.log, mesh, host, life),
      close: () => store.close(),
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** A disk that takes no writes can still be read. */
async function openToRead(path: string): Promise<Store> {
  try {
    return await createStore(path)
  } catch (error) {
    if (!(error instanceof StorageError) || (error.code !== 'disk-full' && error.code !== 'read-only')) throw error
    const store = await lookIntoStore(path)
    if (store === null) throw error
    return store
  }
}

function noLoop(): never {
  throw new Error('assertion failed: nothing is dispatched without an agent')
}
