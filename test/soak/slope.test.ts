import { expect, it } from 'vitest'
import { type Point, slopePerHour } from './slope.ts'

const line = (height: number, slope: number, hours: readonly number[]): readonly Point[] =>
  hours.map((each) => ({ hours: each, value: height + slope * each }))

it.each<[string, readonly (readonly Point[])[], number | null]>([
  ['one line', [line(120, 3, [0, 1, 2])], 3],
  ['a flat one', [line(120, 0, [0, 1, 2])], 0],
  ['two lives of different height share their slope', [line(120, 2, [0, 1]), line(90, 2, [2, 3])], 2],
  ['the step between lives is no slope', [line(100, 0, [0, 1]), line(200, 0, [2, 3])], 0],
  ['a life of one reading says nothing, and spoils nothing', [line(120, 2, [0, 1]), line(500, 0, [2])], 2],
  ['noise around a line', [[0, 1, 2, 3].map((hours) => ({ hours, value: 10 * hours + (hours % 2) }))], 10.2],
  ['no reading', [], null],
  ['one reading', [line(120, 0, [1])], null],
])('the slope of %s', (_, lines, wanted) => {
  const slope = slopePerHour(lines)
  if (wanted === null) expect(slope).toBeNull()
  else expect(slope).toBeCloseTo(wanted, 6)
})
