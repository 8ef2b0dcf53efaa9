import { describe, expect, it } from 'vitest'
import { runSeed } from './simulate.ts'
import { createTinyCore } from './testing/tiny-core.ts'

describe('I11', () => {
  it('holds for a core that leaves wall clocks alone', () => {
    const result = runSeed(3, { hosts: 2, core: createTinyCore([]), wallTwin: true })
    expect(result.exercised.I11).toBe(1)
    expect(result.broken.filter(({ invariant }) => invariant === 'I11')).toEqual([])
  })

  it('breaks for a core that acts on the wall clock', () => {
    const core = createTinyCore([], (_, event) =>
      event.kind === 'tick' && event.at.unixMs % 1_000 < 300
        ? [{ kind: 'report', level: 'info', phrase: 'a new second', fields: {} }]
        : [],
    )
    const result = runSeed(3, { hosts: 2, core, wallTwin: true })
    expect(result.broken.map(({ invariant }) => invariant)).toContain('I11')
  })
})
