/**
 * `docs/config.md`, made of the schema, so that it cannot say anything else than what holds.
 */
import { formatDuration, KINDS } from '@muster/checks'
import type { z } from 'zod'
import { initialConfig } from './init.ts'
import { takesRestart } from './restart-keys.ts'
import { configJsonSchema } from './schema.ts'

type JsonSchema = z.core.JSONSchema.BaseSchema

const COMMON_KEYS = [
  'name',
  'kind',
  'every',
  'grace',
  'timeout',
  'after',
  'recover',
  'for',
  'warning',
  'critical',
  'tags',
  'depends',
  'from',
  'heartbeat',
] as const

/** The whole page. */
export function configPage(): string {
  const schema = configJsonSchema('NAME') as JsonSchema
  const sections = Object.entries(propertiesOf(schema))
  const checks = checkSchemas(schema)
  const lines = [
    '<!-- biome-ignore-all format: made of the schema -->',
    '<!-- Made of the schema: node packages/agent/src/config/write-docs.ts -->',
    '# muster.yaml',
    '',
    'The config of one host, in its folder. Every key may be left out. Unknown keys are refused.',
    'Durations are `10s`, `5m`, `1h30m`, `1d`. Secrets are `env:NAME` or `file:PATH`, and are never printed.',
    '`muster config check` tells what is wrong, `muster config show` prints what holds, `muster config schema` prints the',
    'JSON Schema for an editor.',
    '',
    'A running agent takes a changed file with `muster config reload`, where the table says `reload`. A change of what it says',
    '`restart` of is refused then, with all else in the file: end the agent and run it again (`systemctl restart muster`). Back',
    'within `presence.restart`, it is no news.',
    '',
    'What `muster init` writes:',
    '',
    '```yaml',
    initialConfig({ host: 'vps-1', ports: { swarm: 4650, api: 4651, waku: 4652 } }).trimEnd(),
    '```',
    '',
    '## Keys',
    '',
    '| key | default | a change takes | meaning |',
    '|---|---|---|---|',
    ...sections.filter(([key]) => key !== 'checks').flatMap(([key, section]) => rows(key, section)),
    '',
    '## Every check',
    '',
    '`checks` is a list; a change of it takes a `reload`.',
    'Conditions (`warning`, `critical`) are CEL over the values of the observation. A check without either has those of its',
    'kind.',
    '',
    '| key | meaning |',
    '|---|---|',
    ...COMMON_KEYS.map((key) => `| \`${key}\` | ${cell(commonMeaning(key, checks))} |`),
    '',
    '## Kinds',
    ...checks.flatMap(kindLines),
  ]
  return `${lines.join('\n')}\n`
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema.properties ?? {}) as Record<string, JsonSchema>
}

function rows(key: string, schema: JsonSchema): readonly string[] {
  const inner = Object.entries(propertiesOf(schema))
  if (inner.length === 0) return [keyRow(key, schema)]
  return [
    `| **${key}** | | | ${cell(schema.description ?? '')} |`,
    ...inner.flatMap(([name, value]) => rows(`${key}.${name}`, value)),
  ]
}

function keyRow(key: string, schema: JsonSchema): string {
  const change = takesRestart(key) ? 'restart' : 'reload'
  return `| \`${key}\` | ${standardOf(key, schema)} | ${change} | ${cell(schema.description ?? '')} |`
}

function row(key: string, schema: JsonSchema): string {
  return `| \`${key}\` | ${standardOf(key, schema)} | ${cell(schema.description ?? '')} |`
}

function standardOf(key: string, schema: JsonSchema): string {
  return key === 'host' || schema.default === undefined ? '' : `\`${flow(schema.default)}\``
}

function checkSchemas(schema: JsonSchema): readonly JsonSchema[] {
  const items = propertiesOf(schema).checks?.items as JsonSchema | undefined
  return (items?.anyOf ?? items?.oneOf ?? []) as readonly JsonSchema[]
}

function commonMeaning(key: string, checks: readonly JsonSchema[]): string {
  if (key === 'kind') return `what to look at: ${KINDS.map(({ kind }) => kind).join(', ')}`
  const described = propertiesOf(checks[0] ?? {})[key]?.description ?? ''
  // Defaults differ by kind and are told there.
  return MEANINGS[key] ?? described.replace(/[;,]? default .*$/, '')
}

const MEANINGS: Readonly<Record<string, string>> = {
  timeout: 'how long one run may take, at most `every`',
  tags: 'words to group checks by',
  from: 'hosts or tags whose view of this check counts',
}

/** For options of kinds that do not describe themselves. */
const OPTION_MEANINGS: Readonly<Record<string, string>> = {
  'disk.path': 'a path on the file system that is meant',
  'tcp.host': 'a name or an address',
  'tcp.port': '1 to 65535',
  'http.url': 'begins with http:// or https://',
  'http.method': 'GET, HEAD or POST',
  'http.headers': 'sent with the request; a value may be a secret',
  'http.body': 'sent with POST',
  'http.redirects': 'which ones are followed: `same-host`, `any` or `none`',
  'http.tls_verify': 'false accepts any certificate',
  'command.argv': 'the program and its arguments, as a list; there is no shell',
  'command.env': 'added to its environment; a value may be a secret',
  'command.cwd': 'the folder that it runs in',
}

function kindLines(schema: JsonSchema): readonly string[] {
  const properties = propertiesOf(schema)
  const name = properties.kind?.const
  const kind = KINDS.find((candidate) => candidate.kind === name)
  if (kind === undefined) return []
  const { everyMs, timeoutMs, after, recover, warning, critical } = kind.defaults
  const conditions = [
    warning === undefined ? [] : [`warning \`${warning}\``],
    critical === undefined ? [] : [`critical \`${critical}\``],
  ].flat()
  const own = Object.entries(properties).filter(([key]) => !COMMON_KEYS.some((common) => common === key))
  return [
    '',
    `### ${kind.kind}`,
    '',
    `${kind.summary.charAt(0).toUpperCase()}${kind.summary.slice(1)}.`,
    `Every ${formatDuration(everyMs)}, timeout ${formatDuration(timeoutMs)}, bad after ${after}, well again after ${recover}` +
      `${conditions.length === 0 ? '' : `; ${conditions.join(', ')}`}.`,
    ...(own.length === 0
      ? []
      : [
          '',
          '| key | default | meaning |',
          '|---|---|---|',
          ...own.map(([key, value]) =>
            row(key, { description: OPTION_MEANINGS[`${kind.kind}.${key}`] ?? '', ...value }),
          ),
        ]),
    ...(kind.values.length === 0
      ? []
      : [
          '',
          '| value | unit | meaning |',
          '|---|---|---|',
          ...kind.values.map((v) => `| \`${v.name}\` | ${v.unit} | ${cell(v.meaning)} |`),
        ]),
  ]
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
