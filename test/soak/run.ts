/**
 * The soak: eight agents with what `muster init` writes, one of which dies each minute and returns.
 *
 * Two are never harmed: they show whether an agent grows that lives through all of it, and the recipient listens at them. It
 * is the stock Waku client, which sees every message.
 */
import { type BenchMesh, createBenchMesh, namesOf } from '../bench/bench-mesh.ts'
import { reasonOf } from '../bench/given.ts'
import { createGround } from '../bench/ground.ts'
import { watchOtherWork } from '../bench/other-work.ts'
import { falseAmong, isOut } from '../bench/outages.ts'
import { addRecipient, type StockReceiver, startStockReceiver } from '../bench/stock-receiver.ts'
import { HARMS, letDie, MINUTE_MS, MORTALS, type Scene } from './deaths.ts'
import { figuresOf, type SoakFigures } from './figures.ts'
import { linesOf } from './lines.ts'
import { type Readings, startReadings } from './readings.ts'
import { tallyOf } from './seen-notices.ts'

const HOSTS = 8
const REPORT_EVERY_MS = 5 * MINUTE_MS

/** How it is run. */
export interface SoakOptions {
  readonly minutes: number
  /** Told what goes on. */
  readonly say: (line: string) => void
  /** Ends it early: its figures so far are given all the same. */
  readonly signal: AbortSignal
}

/** Runs it and leaves nothing running. Throws when the mesh does not even start, or was interrupted before it had. */
export async function soak({ minutes, say, signal }: SoakOptions): Promise<SoakFigures> {
  const ground = await createGround(HOSTS)
  const others = watchOtherWork()
  let mesh: BenchMesh | undefined
  let readings: Readings | undefined
  let reporting: NodeJS.Timeout | undefined
  try {
    if (ground.whyLoopback !== null) say(`all hosts are on loopback, no link is cut: ${ground.whyLoopback}`)
    say(`${HOSTS} agents start`)
    const names = namesOf(HOSTS)
    const started = await unlessAborted(createBenchMesh(ground, names, {}), signal)
    mesh = started
    const receiver = await unlessAborted(listenTo(started), signal)
    const scene: Scene = { mesh: started, receiver, deaths: [], outages: [], troubles: [], say, signal }
    const verdictsBefore = started.verdicts.length
    const read = startReadings(started, (name) => isOut(scene.outages, name, performance.now()))
    readings = read
    const startMs = performance.now()
    const figuresSoFar = (otherWork: string | null): SoakFigures =>
      figuresOf({
        minutes: (performance.now() - startMs) / MINUTE_MS,
        endedEarly: signal.aborted,
        names,
        whyLoopback: ground.whyLoopback,
        tally: tallyOf(scene.deaths, receiver.pushed),
        falseVerdicts: falseAmong(started.verdicts.slice(verdictsBefore), scene.outages).map(
          ({ by, about }) => `${by} on ${about}`,
        ),
        troubles: scene.troubles,
        agents: read.agents,
        disks: read.disks,
        otherWork,
      })
    say(`all see each other; a host dies each minute, for ${minutes} min`)
    reporting = setInterval(() => {
      for (const line of linesOf(figuresSoFar(null))) say(line)
    }, REPORT_EVERY_MS)
    try {
      const harms = ground.whyLoopback === null ? HARMS : HARMS.filter((harm) => harm !== 'link cut')
      await unlessAborted(letDie(scene, minutes, harms), signal)
    } catch (error) {
      if (!signal.aborted) scene.troubles.push(reasonOf(error))
    }
    return figuresSoFar(others.stop())
  } finally {
    clearInterval(reporting)
    others.stop()
    readings?.stop()
    await mesh?.end()
    await ground.end()
  }
}

async function listenTo(mesh: BenchMesh): Promise<StockReceiver> {
  await mesh.settled()
  const [first] = mesh.nodes
  if (first === undefined) throw new Error('the mesh has no host')
  const key = await addRecipient(first.host, 'phone')
  const steady = mesh.nodes.slice(MORTALS).map(({ host }) => host)
  return await startStockReceiver(mesh.mesh.processes, key, steady)
}

/** What cannot be interrupted is left to itself: all that it started ends with the mesh, or with this process. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined)
  signal.throwIfAborted()
  let onAbort: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
