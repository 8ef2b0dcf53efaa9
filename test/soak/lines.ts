/** Figures of a soak, as lines for a person. */
import type { Growth, SoakFigures } from './figures.ts'

/** All of it; what should not be stands at the end, a line each. */
export function linesOf(figures: SoakFigures): readonly string[] {
  const { deaths, secondsToNotice, boundMbPerHour: bound } = figures
  const where = figures.whyLoopback === null ? 'in network namespaces' : `on loopback (${figures.whyLoopback})`
  const rows = [
    [
      'agent',
      'lives',
      'RSS MB first / last / most',
      'MB/h',
      'within lives',
      'descriptors',
      'store MB (per h)',
      'recorder MB (per h)',
    ],
    ...figures.agents.map(({ name, lives, rssMb, descriptors, ...agent }) => [
      name,
      String(lives),
      `${rssMb.first} / ${rssMb.last} / ${rssMb.most}`,
      shown(agent.slopeMbPerHour),
      shown(agent.slopeWithinLivesMbPerHour),
      `${descriptors.first} / ${descriptors.last} / ${descriptors.most}`,
      growthText(agent.storeMb),
      growthText(agent.recorderMb),
    ]),
  ]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return [
    `${figures.minutes.toFixed(1)} min${figures.endedEarly ? ', ended early' : ''}: ${figures.hosts} agents ${where}, ${deaths} deaths`,
    `false notices: ${figures.falseNotices}   missed notices: ${figures.missedNotices}   notices seen twice: ${figures.seenTwice}   ` +
      `recoveries seen not exactly once: ${figures.recoveriesNotOnce}`,
    `false verdicts, told or not: ${figures.falseVerdicts}   not judged: ${figures.copiesFolded} copies from both sides of a cut, ` +
      `${figures.ofChecks} notices on checks`,
    `from a death to its notice: median ${shown(secondsToNotice.median)} s, most ${shown(secondsToNotice.most)} s`,
    ...rows.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    ),
    'MB/h: least squares over RSS from ten minutes after a start on, where that is ten minutes or more. Within lives: over all',
    `lives together, each from its second minute on. ${bound === null ? 'A run of less than 30 min is held to no bound.' : `The first is held to ${bound} MB/h.`}`,
    ...(figures.otherWork === null ? [] : [figures.otherWork]),
    ...(figures.isWell ? ['all is well'] : figures.wrong.map((line) => `NOT WELL: ${line}`)),
  ]
}

function shown(value: number | null): string {
  return value === null ? '-' : String(value)
}

function growthText(growth: Growth | null): string {
  return growth === null ? '-' : `${growth.first} / ${growth.last} (${shown(growth.perHour)})`
}
