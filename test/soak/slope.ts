/** Slopes by least squares. */

/** One reading of something that may grow. */
export interface Point {
  /** Hours since any moment, the same for all points of a line. */
  readonly hours: number
  readonly value: number
}

/**
 * How much a value grows in an hour, by least squares over several lines at once: each has a height of its own, and all
 * share the slope. So lives of a process, which begin anew, can be looked at together.
 *
 * Null where the points do not say: fewer than two moments in each line.
 */
export function slopePerHour(lines: readonly (readonly Point[])[]): number | null {
  let together = 0
  let spread = 0
  for (const points of lines) {
    const meanHours = mean(points.map(({ hours }) => hours))
    const meanValue = mean(points.map(({ value }) => value))
    for (const { hours, value } of points) {
      together += (hours - meanHours) * (value - meanValue)
      spread += (hours - meanHours) ** 2
    }
  }
  return spread === 0 ? null : together / spread
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
