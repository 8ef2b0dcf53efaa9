import { describe, expect, it } from 'vitest'
import { createReport, createSeries } from './series.ts'
import { PROMISED, promisedOf } from './targets.ts'

const LINK_DOWN = 'detection: fast class, N = 10, link down: the last survivor knows'
const SEEN = 'takeover: killed after sending, before the receipt: notices seen'

/** A series with these values. */
function seriesOf(name: typeof LINK_DOWN | typeof SEEN, values: readonly number[]) {
  const series = createSeries(name)
  for (const value of values) series.add(value)
  return series
}

const ten = (value: number): readonly number[] => Array.from({ length: 10 }, () => value)
const twenty = (value: number): readonly number[] => Array.from({ length: 20 }, () => value)

describe('a series', () => {
  it.each([
    ['ten quick runs meet the target', LINK_DOWN, ten(2.4), true],
    ['a slow run is not left out', LINK_DOWN, [...ten(2.4), 5.1], false],
    ['half of them slow is too many', LINK_DOWN, [...ten(2.4), ...ten(3.1), 3.1], false],
    ['nine runs are too few', LINK_DOWN, ten(2.4).slice(1), false],
    ['no run meets nothing', LINK_DOWN, [], false],
    ['one notice each is what is wanted', SEEN, twenty(1), true],
    ['a second notice once is too much', SEEN, [...twenty(1), 2], false],
  ] as const)('%s', (_what, name, values, met) => {
    expect(seriesOf(name, values).row()).toMatchObject({ name, runs: values.length, met })
  })

  it('of which a run failed is not met, however good the others were, and says why', () => {
    const series = seriesOf(SEEN, twenty(1))
    series.fail('nothing was seen')
    expect(series.row()).toMatchObject({ runs: 20, met: false, note: '1 failed (nothing was seen)' })
  })

  it('whose fault never took effect has no runs', () => {
    const series = createSeries(LINK_DOWN)
    series.fail('the fault was not injected: host-1 still takes connections')
    expect(series.row()).toMatchObject({
      runs: 0,
      median: null,
      met: false,
      note: '1 failed (the fault was not injected: host-1 still takes connections)',
    })
  })

  it('has the peer beside it, and says each note once', () => {
    const series = seriesOf(LINK_DOWN, ten(2))
    for (const value of [6.2, 5.9, 7.2]) series.addPeer('serf', value)
    series.note('by logs')
    series.note('by logs')
    expect(series.row()).toMatchObject({ peer: { name: 'serf', median: 6.2, max: 7.2 }, note: 'by logs' })
  })
})

describe('a report', () => {
  it('has a row for each figure, in the order of the table, also when nothing ran', () => {
    const report = createReport('takeover')
    report.leaveOut(promisedOf('takeover'), 'no root')
    const rows = report.rows()
    expect(rows.map(({ name }) => name)).toEqual(promisedOf('takeover'))
    for (const row of rows) expect(row).toMatchObject({ runs: 0, met: false, note: 'not measured: no root' })
  })

  it('leaves alone what was measured before the rest had to be left out', () => {
    const report = createReport('takeover')
    for (const value of twenty(1)) report.of(SEEN).add(value)
    report.leaveOut(promisedOf('takeover'), 'interrupted')
    expect(report.rows().filter(({ met }) => met)).toMatchObject([{ name: SEEN, runs: 20 }])
  })

  it('answers for its own figures only', () => {
    expect(() => createReport('takeover').of(LINK_DOWN)).toThrow('takeover does not answer for')
  })
})

describe('the table', () => {
  it('promises something of each figure, over at least one run', () => {
    for (const [name, { target, runsMin, unit }] of Object.entries(PROMISED)) {
      expect({ name, targets: Object.keys(target).length }).not.toMatchObject({ targets: 0 })
      expect(runsMin).toBeGreaterThan(0)
      expect(unit).not.toBe('')
    }
  })
})
