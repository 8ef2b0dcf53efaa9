/**
 * From a pulled cable to the notice at a stock Waku client, with the presence class that `muster init` writes.
 *
 * Several meshes of each size run side by side, for a host that is cut off a third time within ten minutes would be told
 * of as flapping; of two hosts each misses the other each time. The client listens at a survivor, and is another one each
 * time.
 */
import { type BenchMesh, createBenchMesh, namesOf } from './bench-mesh.ts'
import { FALSE_VERDICTS, falseVerdicts, waitForAnyPhase } from './cluster.ts'
import { inject, undo, whyWithoutEffect } from './faults.ts'
import { type Given, hasTimeFor, reasonOf } from './given.ts'
import { createGround } from './ground.ts'
import type { Report, Series } from './series.ts'
import { addRecipient, type RecipientKey, startStockReceiver } from './stock-receiver.ts'
import { PROMISED, type PromisedName } from './targets.ts'

/** `every` of the class that `init` writes, milliseconds. */
const EVERY_MS = 10_000
/** A notice that has not come by then does not come. Milliseconds. */
const NOTICE_MS = 90_000
/** What a run takes at most, with all that is waited for. Milliseconds. */
const RUN_MS = 120_000

/** Meshes of one size. */
interface Size {
  readonly name: PromisedName
  readonly hosts: number
  readonly meshes: number
}

const SIZES: readonly Size[] = [
  { name: 'detection: default class, N = 10, link down: notice at the receiver', hosts: 10, meshes: 2 },
  { name: 'detection: default class, N = 3, link down: notice at the receiver', hosts: 3, meshes: 4 },
  { name: 'detection: default class, N = 2, link down: notice at the receiver', hosts: 2, meshes: 10 },
]

/** Measures all sizes at once. */
export async function measureNoticeTimes(given: Given, report: Report): Promise<void> {
  const names = SIZES.map(({ name }) => name)
  const ground = await createGround(SIZES.reduce((sum, { hosts, meshes }) => sum + hosts * meshes, 0))
  const meshes: BenchMesh[] = []
  try {
    if (ground.whyLoopback !== null) {
      report.leaveOut(names, ground.whyLoopback)
      return
    }
    const measuring: Promise<void>[] = []
    for (const { name, hosts, meshes: count } of SIZES) {
      for (const runs of shares(given.runs ?? PROMISED[name].runsMin, count)) {
        // One after the other: what is started all at once starts late.
        const mesh = await createBenchMesh(ground, namesOf(hosts), {})
        meshes.push(mesh)
        given.say(`a mesh of ${hosts} has started`)
        given.signal.throwIfAborted()
        const series = report.of(name)
        const failed = (error: unknown): void => {
          given.say(`N = ${hosts}: ${error instanceof Error ? error.message : String(error)}`)
          series.fail(reasonOf(error))
        }
        measuring.push(measureMesh(mesh, runs, series, given).catch(failed))
      }
    }
    await Promise.all(measuring)
  } finally {
    await Promise.all(meshes.map((mesh) => mesh.end()))
    await ground.end()
  }
}

/** So many runs dealt out to at most so many meshes, none of them empty. */
export function shares(runs: number, meshes: number): readonly number[] {
  const used = Math.min(runs, meshes)
  return Array.from({ length: used }, (_, index) => Math.floor(runs / used) + (index < runs % used ? 1 : 0))
}

async function measureMesh(mesh: BenchMesh, runs: number, series: Series, given: Given): Promise<void> {
  const [first] = mesh.nodes
  if (first === undefined) throw new Error('the mesh has no host')
  await mesh.settled()
  const key = await addRecipient(first.host, 'script')
  for (let run = 0; run < runs; run += 1) {
    if (!hasTimeFor(RUN_MS, given)) return series.note('ended early: the time of the benchmark was over')
    const before = mesh.verdicts.length
    try {
      const seconds = await noticeTime(mesh, run, key)
      const victim = victimOf(mesh, run).name
      series.add(seconds)
      if (falseVerdicts(mesh.verdicts.slice(before), [victim]).length > 0) series.fail(FALSE_VERDICTS)
      given.say(`N = ${mesh.nodes.length}: told after ${seconds.toFixed(2)} s`)
    } catch (error) {
      given.say(`N = ${mesh.nodes.length}: ${error instanceof Error ? error.message : String(error)}`)
      series.fail(reasonOf(error))
    }
  }
}

/** A host that has not been cut off lately. */
const victimOf = ({ nodes }: BenchMesh, run: number) => nodes[run % nodes.length] as BenchMesh['nodes'][number]

/** One run: seconds from the cut to the notice. */
async function noticeTime(mesh: BenchMesh, run: number, key: RecipientKey): Promise<number> {
  const victim = victimOf(mesh, run)
  const survivor = victimOf(mesh, run + 1)
  await mesh.settled()
  const receiver = await startStockReceiver(mesh.mesh.processes, key, [survivor.host])
  try {
    await waitForAnyPhase(EVERY_MS)
    // What was told before is in the store of its node: of two hosts, what the other one told when it was cut off.
    const before = receiver.pushed.length
    const startMs = performance.now()
    await inject('link down', victim)
    const why = await whyWithoutEffect('link down', victim)
    if (why !== null) throw new Error(`the fault was not injected: ${why}`)
    const { atMs } = await receiver.fired(victim.name, '', NOTICE_MS, before)
    if (atMs < startMs) throw new Error('the notice came before the fault')
    return (atMs - startMs) / 1_000
  } finally {
    await undo('link down', victim)
    await receiver.end()
  }
}
