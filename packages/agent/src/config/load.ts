/**
 * From `muster.yaml` to a config that the agent trusts, or a list of what is wrong with it.
 */
import { open } from 'node:fs/promises'
import { type CheckConfig, type CheckDefinition, defineCheck } from '@muster/checks'
import type { z } from 'zod'
import { systemCode } from '../identity/key-file.ts'
import type { Endpoint } from './addresses.ts'
import { ConfigError, type ConfigProblem, configError, quote } from './errors.ts'
import { explain } from './explain.ts'
import { configJsonSchema, configSchema } from './schema.ts'
import { CONFIG_BYTES_MAX, readYaml, type YamlText } from './yaml.ts'

/** Problems that are told at once. More would only be scrolled over. */
export const PROBLEMS_MAX = 20

/** A whole config, with every default filled in. Durations are milliseconds. */
export interface Config {
  readonly host: string
  readonly tags: readonly string[]
  readonly swarm: { readonly listen: readonly string[]; readonly peers: readonly string[] }
  readonly presence: {
    readonly everyMs: number
    readonly graceMs: number
    readonly sleeps: boolean
    readonly restartMs: number
  }
  readonly checks: readonly CheckDefinition[]
  readonly waku: {
    readonly serve: boolean
    readonly listen: readonly string[]
    readonly nodes: readonly string[]
  }
  readonly notify: { readonly remindMs: number }
  readonly api: { readonly listen: Endpoint }
}

/** A config and what it was made of. */
export interface LoadedConfig {
  readonly config: Config
  /** The checks as they were written, for showing them. */
  readonly writtenChecks: readonly CheckConfig[]
}

/** What reading a config needs to know. */
export interface ParseOptions {
  /** For the errors: the path as the user would type it. */
  readonly file: string
  /** The name of a host whose config gives none. Must be a host name: see `hostNameOf`. */
  readonly defaultHost: string
}

/** Reads a config's text. Throws a `ConfigError` that lists up to `PROBLEMS_MAX` problems, and nothing else. */
export function parseConfig(text: string, { file, defaultHost }: ParseOptions): LoadedConfig {
  if (Buffer.byteLength(text) > CONFIG_BYTES_MAX) {
    const remedy = `at most ${CONFIG_BYTES_MAX} bytes are read`
    throw configError({ code: 'config-too-large', file, what: 'this file is too large for a config', remedy })
  }
  const yaml = readYaml(text, file)
  // With a text that is not what it seems, further complaints would only mislead; a key that is there twice does no harm.
  const isBroken = yaml.problems.some(({ code }) => code !== 'yaml-duplicate-key')
  if (isBroken) throw errorOf(yaml.problems, file)
  const { success, data, error } = configSchema(defaultHost).safeParse(withoutEmptySections(yaml.value))
  const problems = [
    ...yaml.problems,
    ...duplicateNames(yaml, file),
    ...(error?.issues ?? []).flatMap((issue) => explain(issue, { file, yaml, jsonSchema: explainingSchema })),
  ]
  if (!success || problems.length > 0) throw errorOf(problems, file)
  return { config: toConfig(data), writtenChecks: data.checks }
}

/** Made once, and only when there is something to explain: it takes longer than reading a config. */
function explainingSchema(): z.core.JSONSchema.BaseSchema {
  madeSchema ??= configJsonSchema('host')
  return madeSchema
}

let madeSchema: z.core.JSONSchema.BaseSchema | undefined

function toConfig(data: z.infer<ReturnType<typeof configSchema>>): Config {
  const { host, tags, swarm, presence, checks, waku, notify, api } = data
  const { every: everyMs, grace: graceMs, sleeps, restart: restartMs } = presence
  return {
    host,
    tags,
    swarm,
    presence: { everyMs, graceMs, sleeps, restartMs },
    checks: checks.map(defineCheck),
    waku,
    notify: { remindMs: notify.remind },
    api,
  }
}

/** An empty file is a config, and a section whose lines are all commented out is as good as none. */
function withoutEmptySections(value: unknown): unknown {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== null))
}

/** Said here and not in the schema, because both places are told. */
function duplicateNames(yaml: YamlText, file: string): readonly ConfigProblem[] {
  const checks: unknown = (yaml.value as { checks?: unknown } | null | undefined)?.checks
  if (!Array.isArray(checks)) return []
  const first = new Map<string, number>()
  const problems: ConfigProblem[] = []
  for (const [index, check] of checks.entries()) {
    const name: unknown = (check as { name?: unknown } | null)?.name
    if (typeof name !== 'string') continue
    const before = first.get(name)
    if (before === undefined) {
      first.set(name, index)
      continue
    }
    const { line, column } = yaml.placeOf(['checks', before, 'name'])
    problems.push({
      code: 'config-duplicate-name',
      file,
      ...yaml.placeOf(['checks', index, 'name']),
      what: `a check named ${quote(name)} is here already: at line ${line}, column ${column}`,
      remedy: 'give each check its own name',
    })
  }
  return problems
}

/** In the order of the file, one for each place, and not too many. */
function errorOf(found: readonly ConfigProblem[], file: string): ConfigError {
  const places = new Map<string, ConfigProblem>()
  for (const problem of found) {
    const place = `${problem.line}:${problem.column}`
    if (!places.has(place)) places.set(place, problem)
  }
  const sorted = [...places.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
  const told = sorted.slice(0, PROBLEMS_MAX)
  if (sorted.length > told.length) {
    told[PROBLEMS_MAX - 1] = {
      code: 'config-more',
      file,
      what: `and ${sorted.length - PROBLEMS_MAX + 1} more problems`,
    }
  }
  const [first, ...rest] = told
  if (first === undefined) throw new Error('assertion failed: a config is refused for a reason')
  return new ConfigError([first, ...rest])
}

/** Reads and parses the file. Throws a `ConfigError`: `config-missing`, `config-unreadable`, or what `parseConfig` throws. */
export async function loadConfig(file: string, defaultHost: string): Promise<LoadedConfig> {
  return parseConfig(await readText(file), { file, defaultHost })
}

async function readText(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r')
    try {
      // One byte more than is allowed, so that a larger file is told and never read whole.
      const buffer = Buffer.alloc(CONFIG_BYTES_MAX + 1)
      let length = 0
      for (;;) {
        const { bytesRead } = await handle.read(buffer, length, buffer.byteLength - length)
        if (bytesRead === 0) return buffer.toString('utf8', 0, length)
        length += bytesRead
      }
    } finally {
      await handle.close()
    }
  } catch (cause) {
    const code = systemCode(cause)
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR'
    throw configError(
      {
        code: isMissing ? 'config-missing' : 'config-unreadable',
        file,
        what: isMissing ? 'there is no config here' : `the config cannot be read (${code})`,
        remedy: isMissing
          ? 'make one with: muster init, or name its folder with --dir DIR'
          : 'run as the user who owns it, or as root',
      },
      { cause },
    )
  }
}
