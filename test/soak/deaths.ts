/**
 * One death each minute: the host stays dead for half of it, and returns. How it dies takes turns.
 *
 * Six of the hosts die by turns, so that none dies a third time within ten minutes: that would be told of as flapping.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchHost, BenchMesh } from '../bench/bench-mesh.ts'
import { type Fault, inject, undo, whyWithoutEffect } from '../bench/faults.ts'
import { reasonOf } from '../bench/given.ts'
import type { Outage } from '../bench/outages.ts'
import type { StockReceiver } from '../bench/stock-receiver.ts'
import { until } from '../e2e/host.ts'
import { type Death, tallyOf } from './seen-notices.ts'

/** The first so many hosts die, the others are never harmed. */
export const MORTALS = 6
/** Between two deaths. */
export const MINUTE_MS = 60_000
/** The class promises a verdict within 17 s of the last heartbeat and a notice soon after: by then it is due. Milliseconds. */
const DEAD_MS = 30_000
/** A return that is not seen by then is not seen. Milliseconds. */
const RETURN_MS = 60_000
/** A minute that begins a little late is whole all the same. Milliseconds. */
const SLACK_MS = 5_000
const LOOK_EVERY_MS = 100

/** How a host dies. One whose link is cut goes on running, and is not started anew. */
export const HARMS = ['SIGKILL', 'SIGSTOP, then SIGKILL', 'link cut'] as const

/** One of them. */
export type Harm = (typeof HARMS)[number]

const FAULT_OF: Readonly<Record<Harm, Fault>> = {
  SIGKILL: 'SIGKILL',
  'SIGSTOP, then SIGKILL': 'SIGSTOP',
  'link cut': 'link down',
}

/** Where hosts die, and what has come of it so far. */
export interface Scene {
  readonly mesh: BenchMesh
  readonly receiver: StockReceiver
  readonly deaths: Death[]
  readonly outages: Outage[]
  /** What kept a death from being what it should be, and hosts that did not come back as they should. */
  readonly troubles: string[]
  /** Told what goes on. */
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** Lets a host die at the start of each minute of so many. */
export async function letDie(scene: Scene, minutes: number, harms: readonly Harm[]): Promise<void> {
  const { mesh, receiver, say, signal } = scene
  const endMs = performance.now() + minutes * MINUTE_MS + SLACK_MS
  for (let turn = 0; performance.now() + MINUTE_MS <= endMs; turn += 1) {
    // Each of them dies in each way, in the end.
    const harm = harms[(turn + Math.floor(turn / MORTALS)) % harms.length] as Harm
    const victim = mesh.nodes[turn % MORTALS] as BenchHost
    const nextMs = performance.now() + MINUTE_MS
    const death = await dieAndReturn(scene, victim, harm)
    await sleep(Math.max(0, nextMs - performance.now()), undefined, { signal })
    death.untilMs = performance.now()
    const [seconds] = tallyOf([death], receiver.pushed).seconds
    say(
      `${turn + 1}: ${victim.name}, ${harm}: ${seconds === undefined ? 'not told' : `told after ${seconds.toFixed(1)} s`}`,
    )
  }
}

/** One death, until all is well again. */
async function dieAndReturn(scene: Scene, victim: BenchHost, harm: Harm): Promise<Death> {
  const { mesh, troubles, signal } = scene
  const { name } = victim
  const fromMs = performance.now()
  const death: Death = { name, fromMs, isParted: harm === 'link cut', untilMs: null, isVoid: false }
  const outage: Outage = { name, fromMs, toMs: null }
  scene.deaths.push(death)
  scene.outages.push(outage)
  await inject(FAULT_OF[harm], victim)
  const why = await whyWithoutEffect(FAULT_OF[harm], victim)
  if (why !== null) {
    death.isVoid = true
    troubles.push(`${harm} of ${name} had no effect: ${why}`)
  }
  await sleep(Math.max(0, fromMs + DEAD_MS - performance.now()), undefined, { signal })
  outage.toMs = performance.now()
  await revive(victim, harm)
  // What never began has no end. One that is not seen is counted in the end.
  if (isSeen(scene, 'fired', death)) {
    const look = (): boolean => isSeen(scene, 'resolved', death)
    await until('the return to be told', RETURN_MS, look, LOOK_EVERY_MS).catch(() => undefined)
  }
  try {
    await mesh.settled()
  } catch (error) {
    troubles.push(`after the return of ${name}: ${reasonOf(error)}`)
  }
  for (const { name: other, process } of mesh.nodes) {
    if (process().isRunning()) continue
    troubles.push(`${other} has ended by itself: ${process().err().at(-1) ?? 'without a word'}`)
  }
  return death
}

async function revive(victim: BenchHost, harm: Harm): Promise<void> {
  if (harm !== 'SIGSTOP, then SIGKILL') return await undo(FAULT_OF[harm], victim)
  await inject('SIGKILL', victim)
  const why = await whyWithoutEffect('SIGKILL', victim)
  if (why !== null) throw new Error(why)
  victim.restart()
}

function isSeen({ receiver }: Scene, transition: string, { name, fromMs }: Death): boolean {
  return receiver.pushed.some(
    (notice) =>
      notice.transition === transition &&
      notice.atMs >= fromMs &&
      notice.incidents.some(({ hostName, check }) => hostName === name && check === ''),
  )
}
