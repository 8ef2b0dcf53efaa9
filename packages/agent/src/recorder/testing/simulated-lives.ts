/** What real cores met in a simulated world: every life of every host, from its first state on. */
import { createState, type Effect, type Event, recipientIdOf, type State, step } from '@muster/protocol'
import { NAMED, type RunOptions, runNamed, runSeed, type Scenario } from '@muster/simulator'
import { isMap } from '../values.ts'

/** One event and what came of it. */
export interface SimulatedStep {
  readonly event: Event
  readonly effects: readonly Effect[]
  readonly state: State
}

/** One process of one host. */
export interface SimulatedLife {
  readonly first: State
  readonly steps: readonly SimulatedStep[]
}

interface Link extends SimulatedStep {
  readonly before: Link | null
  readonly length: number
}

/** Runs a drawn world (by its seed) or one with a name, and returns the lives of its cores in the order of their starts. */
export function simulatedLives(world: number | Scenario): readonly SimulatedLife[] {
  // The world also asks cores aside what they would do, so that a state may have two successors: the longer line is the life.
  const longest = new Map<State, Link | null>()
  const links = new WeakMap<State, { readonly first: State; readonly link: Link | null }>()
  const options: RunOptions = {
    wallTwin: false,
    core: {
      createState(...given) {
        const first = createState(...given)
        links.set(first, { first, link: null })
        longest.set(first, null)
        return first
      },
      step(view, event) {
        const state = view as State
        const stepped = step(state, event)
        const known = links.get(state)
        if (known === undefined) throw new Error('a state of no known life')
        const link = { event, ...stepped, before: known.link, length: (known.link?.length ?? 0) + 1 }
        links.set(stepped.state, { first: known.first, link })
        if (link.length > (longest.get(known.first)?.length ?? 0)) longest.set(known.first, link)
        return stepped
      },
      recipientIdOf,
    },
  }
  if (typeof world === 'number') runSeed(world, options)
  else runNamed(world, options)
  return Array.from(longest, ([first, last]) => {
    const steps: SimulatedStep[] = []
    for (let link = last; link !== null; link = link.before) steps.push(link)
    return { first, steps: steps.reverse() }
  })
}

/** The lives of a world that has a name. */
export function namedLives(name: string): readonly SimulatedLife[] {
  const named = NAMED.find((each) => each.name === name)
  if (named === undefined) throw new Error(`no world is called ${name}`)
  return simulatedLives(named.scenario)
}

/** The same with every map a `Map`, to be compared: the core has others that behave alike. */
export function withPlainMaps(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(withPlainMaps)
  if (value instanceof Set) return new Set([...value].map(withPlainMaps))
  if (isMap(value)) return new Map(Array.from(value, ([key, held]) => [key, withPlainMaps(held)]))
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, withPlainMaps(held)]))
}
