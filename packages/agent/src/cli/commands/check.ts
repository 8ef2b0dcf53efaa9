/** `muster check list|kinds|run`. Works without an agent. */
import {
  type CheckDefinition,
  createRunner,
  findKind,
  formatDuration,
  formatValue,
  KINDS,
  nearestName,
} from '@muster/checks'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import { fitted, plain } from '../plain-text.ts'
import type { Context } from '../surroundings.ts'
import { readConfig } from './config.ts'

/** Prints the checks of the config. */
export async function listChecks(context: Context): Promise<number> {
  const { config } = await readConfig(context)
  const shown = config.checks.map(describe)
  if (context.json) {
    context.print({ checks: shown })
    return EXIT.done
  }
  if (shown.length === 0)
    context.line(context.typed('No checks yet; muster.yaml takes them. What there is: muster check kinds'))
  const width = Math.max(4, ...shown.map(({ name }) => name.length))
  for (const { name, kind, every, grace, warning, critical } of shown) {
    const conditions = [...warning.map((text) => `warning ${text}`), ...critical.map((text) => `critical ${text}`)]
    context.line(
      `${fitted(name, width)}  ${fitted(kind, 8)}  every ${every}, grace ${grace}  ${plain(conditions.join('; '), 200)}`.trimEnd(),
    )
  }
  return EXIT.done
}

function describe({ spec, conditions }: CheckDefinition) {
  const { name, kind, everyMs, graceMs, after, recover, heartbeat, tags } = spec
  return {
    name,
    kind,
    every: formatDuration(everyMs),
    grace: formatDuration(graceMs),
    after,
    recover,
    heartbeat,
    tags,
    warning: conditions.warning.map(({ text }) => text),
    critical: conditions.critical.map(({ text }) => text),
  }
}

/** Prints the kinds of checks. */
export async function listKinds(context: Context): Promise<number> {
  const kinds = KINDS.map(({ kind, summary, defaults, values }) => ({
    kind,
    summary,
    every: formatDuration(defaults.everyMs),
    ...(defaults.warning === undefined ? {} : { warning: defaults.warning }),
    ...(defaults.critical === undefined ? {} : { critical: defaults.critical }),
    values: values.map(({ name, type, unit, meaning }) => ({ name, type, unit, meaning })),
  }))
  if (context.json) {
    context.print({ kinds })
    return EXIT.done
  }
  for (const { kind, summary, values } of kinds) {
    context.line(`${fitted(kind, 8)}  ${summary}`)
    if (values.length > 0) context.line(`${' '.repeat(10)}${values.map(({ name }) => name).join(', ')}`)
  }
  return EXIT.done
}

/** Runs one check now and prints what it found. Exit code 0 when it is ok. */
export async function runCheck(context: Context, name: string): Promise<number> {
  const { config } = await readConfig(context)
  const definition = config.checks.find(({ spec }) => spec.name === name)
  if (definition === undefined) throw unknownCheck(name, config.checks)
  if (findKind(definition.spec.kind)?.mode === 'pushed') {
    throw new CliError(
      'waits-for-pings',
      EXIT.usage,
      `${name} waits to be told and cannot be run`,
      `report for it with: muster push ${name}`,
    )
  }
  const runner = createRunner([definition], { onResult: () => undefined })
  const { observation, judgement, because } = await runner.runOnce(name, context.interrupted())
  await runner.stop()
  if (context.json) context.print({ check: name, kind: definition.spec.kind, status: judgement, because, observation })
  else {
    context.line(`${name} (${definition.spec.kind}): ${judgement}`)
    if (because !== '') context.line(`  ${plain(because, 240)}`)
    if (observation.error === undefined) context.line(`  ${plain(observation.text, 240)}`)
    else context.line(`  could not measure: ${plain(observation.error.message, 240)}`)
    const width = Math.max(0, ...Object.keys(observation.values).map((key) => key.length))
    for (const [key, value] of Object.entries(observation.values)) {
      context.line(`  ${fitted(plain(key, 64), width)}  ${plain(formatValue(value), 120)}`)
    }
    context.line(`  took ${observation.durationMs} ms; nobody was told`)
  }
  return judgement === 'ok' ? EXIT.done : EXIT.bad
}

function unknownCheck(name: string, checks: readonly CheckDefinition[]): CliError {
  const names = checks.map(({ spec }) => spec.name)
  const near = nearestName(name, names)
  const hint = near === undefined ? `there are ${names.slice(0, 20).join(', ') || 'none'}` : `did you mean ${near}?`
  return usageError(`no check is called ${plain(name, 64)}; ${hint}`)
}
