/**
 * Three packets of ten are lost at the door of every host, and of the recipient, for minutes; near the end a host dies. The
 * class is the one that `muster init` writes.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../e2e/host.ts'
import { createReceiver, type Receiver } from '../e2e/receiver.ts'
import { type Drop, drop, LOSS_30, together } from '../faults/packets.ts'
import type { BenchHost, BenchMesh } from './bench-mesh.ts'
import { inject, undo, whyWithoutEffect } from './faults.ts'
import type { Given } from './given.ts'
import type { Ground, Spot } from './ground.ts'
import { falseAmong, type Outage } from './outages.ts'
import type { Report } from './series.ts'
import type { PromisedName } from './targets.ts'

const FALSE: PromisedName = 'faults: 30 % loss for 10 min, N = 5: false verdicts'
const NOTICE: PromisedName = 'faults: 30 % loss for 10 min, N = 5: notice of a real death'

const LOSS_MS = 600_000
/** So long before the end of the loss a host dies: what follows has twice the time that it is promised in. Milliseconds. */
const DEATH_MS = 120_000
/** What comes after the loss at most: the host that died is back, the recipient has been told of it. Milliseconds. */
const AFTER_MS = 60_000
const TOLD_MS = 120_000

/** One mesh of five and its recipient, before anything is lost. */
export interface LossyMesh {
  readonly mesh: BenchMesh
  readonly phone: Receiver
  readonly places: readonly Spot[]
  readonly gateway: string
}

/** Pairs the recipient of a mesh that has started, in a place of its own. */
export async function prepareLoss(ground: Ground, mesh: BenchMesh): Promise<LossyMesh> {
  await mesh.settled()
  const spot = ground.take()
  const { processes, folder } = mesh.mesh
  const [first] = mesh.nodes
  if (first === undefined) throw new Error('the mesh has no host')
  const phone = await createReceiver(processes, first.host, 'phone', join(folder, 'phone'), spot.prefix)
  return { mesh, phone, places: [...mesh.nodes.map((node) => node.spot), spot], gateway: ground.gateway }
}

/** Measures, and puts the figures into the report. */
export async function measureLoss(lossy: LossyMesh, given: Given, report: Report): Promise<void> {
  const { mesh, phone, places, gateway } = lossy
  const forMs = Math.min(LOSS_MS, given.endsAtMs - performance.now() - AFTER_MS)
  if (forMs < 2 * DEATH_MS) throw new Error('there was no time left')
  if (forMs < LOSS_MS) {
    const short = `packets were lost for ${(forMs / 60_000).toFixed(1)} min only`
    for (const name of [FALSE, NOTICE] as const) report.of(name).fail(short)
  }
  const victim = mesh.nodes.at(-1) as BenchHost
  const outages: Outage[] = []
  const before = mesh.verdicts.length
  const startMs = performance.now()
  // All but what this process asks and is answered.
  const match = ['!', '-s', gateway, '-i', 'eth0', ...LOSS_30]
  const losses = await Promise.all(places.map((place) => drop(place, 'INPUT', match)))
  try {
    given.say(`three packets of ten are lost for ${(forMs / 60_000).toFixed(1)} min`)
    await sleep(forMs - DEATH_MS, undefined, { signal: given.signal })
    const seconds = await noticeOfDeath(lossy, victim, outages)
    report.of(NOTICE).add(seconds)
    given.say(`30 % loss: told of a death after ${seconds.toFixed(2)} s`)
    await phone.next('resolved', victim.name, { limitMs: TOLD_MS })
    await sleep(Math.max(0, forMs - (performance.now() - startMs)), undefined, { signal: given.signal })
    await sayWhatWasLost(losses, report)
  } finally {
    await together(losses).mend()
    // Also when the notice never came: what was false until then was false.
    const wrong = falseAmong(mesh.verdicts.slice(before), outages)
    report.of(FALSE).add(wrong.length)
    given.say(`30 % loss: ${wrong.length} false verdicts`)
    for (const { by, about } of wrong) report.of(FALSE).note(`${by} on ${about}`)
  }
  const shown = shownOfHosts(phone)
  if (shown.join() !== [`fired ${victim.name}`, `resolved ${victim.name}`].join()) {
    report.of(NOTICE).fail(`the recipient was shown: ${shown.join(', ')}`)
  }
}

/** Not of checks: a busy machine sets some off. */
function shownOfHosts(phone: Receiver): readonly string[] {
  return phone
    .notices()
    .flatMap(({ transition, incidents }) =>
      incidents.filter(({ check }) => check === '').map(({ hostName }) => `${transition} ${hostName}`),
    )
}

/** Seconds from the death to the notice. The host is back when all know that it was gone. */
async function noticeOfDeath({ mesh, phone }: LossyMesh, victim: BenchHost, outages: Outage[]): Promise<number> {
  const before = mesh.verdicts.length
  const others = mesh.nodes.filter((node) => node !== victim)
  const outage: Outage = { name: victim.name, fromMs: performance.now(), toMs: null }
  outages.push(outage)
  await inject('SIGKILL', victim)
  try {
    const why = await whyWithoutEffect('SIGKILL', victim)
    if (why !== null) throw new Error(`the fault was not injected: ${why}`)
    const { atMs } = await phone.next('fired', victim.name, { limitMs: TOLD_MS })
    await until('all others to know', TOLD_MS, () =>
      others.every(({ name }) => mesh.verdicts.slice(before).some(({ by }) => by === name)),
    )
    return (atMs - outage.fromMs) / 1_000
  } finally {
    outage.toMs = performance.now()
    await undo('SIGKILL', victim)
  }
}

/** A rule that drops nothing is no loss. */
async function sayWhatWasLost(losses: readonly Drop[], report: Report): Promise<void> {
  const counts = await Promise.all(losses.map((loss) => loss.count()))
  const least = Math.min(...counts)
  report.of(FALSE).note(`each host lost ${least} to ${Math.max(...counts)} packets`)
  if (least === 0) report.of(FALSE).fail('the fault was not injected: somebody lost no packet')
}
