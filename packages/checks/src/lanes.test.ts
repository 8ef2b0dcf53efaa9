import { describe, expect, it } from 'vitest'
import { createLanes } from './lanes.ts'
import { SLOW_AFTER_MS } from './limits.ts'

/** Lanes for two fast runs and one slow one, whose timers fire when told. */
function createSmallLanes() {
  const timers = new Set<() => void>()
  const lanes = createLanes(
    (delayMs, fire) => {
      expect(delayMs).toBe(SLOW_AFTER_MS)
      timers.add(fire)
      return () => void timers.delete(fire)
    },
    2,
    1,
  )
  const entered: string[] = []
  const { signal } = new AbortController()
  const enter = async (name: string, lane: 'fast' | 'slow' = 'fast') => {
    const place = await lanes.enter(lane, signal)
    entered.push(name)
    return place
  }
  const passTime = () => {
    const due = [...timers]
    timers.clear()
    for (const fire of due) fire()
  }
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return { lanes, timers, entered, enter, passTime, settle }
}

describe('lanes', () => {
  it('let in as many as there is room for, in order', async () => {
    const { enter, entered, settle } = createSmallLanes()
    const first = await enter('a')
    await enter('b')
    void enter('c')
    void enter('d')
    await settle()
    expect(entered).toEqual(['a', 'b'])
    expect(first.release()).toBe(false)
    first.release()
    await settle()
    expect(entered).toEqual(['a', 'b', 'c'])
  })

  it('move a slow run over and free its place', async () => {
    const { enter, entered, passTime, settle, timers } = createSmallLanes()
    const slow = await enter('slow')
    const alsoSlow = await enter('also slow')
    void enter('waits')
    void enter('waits too')
    passTime()
    await settle()
    // There is room for one slow run only: the other keeps its place and asks again.
    expect(entered).toEqual(['slow', 'also slow', 'waits'])
    expect(timers.size).toBe(2)
    expect(slow.release()).toBe(true)
    passTime()
    await settle()
    expect(entered).toHaveLength(4)
    expect(alsoSlow.release()).toBe(true)
  })

  it('make known slow runs wait for each other only', async () => {
    const { enter, entered, settle } = createSmallLanes()
    const slow = await enter('slow', 'slow')
    void enter('next slow', 'slow')
    await enter('fast')
    expect(entered).toEqual(['slow', 'fast'])
    expect(slow.release()).toBe(false)
    await settle()
    expect(entered).toEqual(['slow', 'fast', 'next slow'])
  })

  it('forget who no longer waits', async () => {
    const { lanes, enter, entered, settle } = createSmallLanes()
    const first = await enter('a')
    await enter('b')
    const leaving = new AbortController()
    const left = lanes.enter('fast', leaving.signal)
    void enter('c')
    leaving.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    first.release()
    await settle()
    expect(entered).toEqual(['a', 'b', 'c'])
    await expect(lanes.enter('fast', AbortSignal.abort(new Error('never')))).rejects.toThrow('never')
  })
})
