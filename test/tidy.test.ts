/**
 * The rules of the house that no other tool holds.
 *
 * Each test lists its offenders by file (and line), so that a failure says what to do. STYLE, ARCHITECTURE and the
 * known advisories are where the rules come from; what Biome or TypeScript can hold is held there.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

interface Source {
  /** Path from the root, with `/`. */
  readonly path: string
  readonly text: string
}

/** All TypeScript of these folders, in order of their paths. */
function sourcesOf(...folders: readonly string[]): readonly Source[] {
  const sources: Source[] = []
  for (const folder of folders) {
    if (!existsSync(join(ROOT, folder))) continue
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      const path = join(folder, name).replaceAll('\\', '/')
      if (!/\.tsx?$/u.test(path) || /(?:^|\/)(?:dist|node_modules)\//u.test(path)) continue
      sources.push({ path, text: readFileSync(join(ROOT, path), 'utf8') })
    }
  }
  return sources.sort((a, b) => (a.path < b.path ? -1 : 1))
}

const PACKAGES = readdirSync(join(ROOT, 'packages'))
const packaged = sourcesOf(...PACKAGES.map((name) => `packages/${name}/src`))
const everything = [...packaged, ...sourcesOf('test')]

/** Tests, and what only tests use. They may import what is not shipped. */
const isOfTests = ({ path }: Source): boolean => /\.test\.tsx?$|\/testing\//u.test(path)
const shipped = packaged.filter((source) => !isOfTests(source))

interface Import {
  readonly from: string
  readonly to: string
  /** True when nothing of it is left at run time. */
  readonly typeOnly: boolean
}

/** What a source imports, re-exports or loads, by specifier. */
function importsOf({ path, text }: Source): readonly Import[] {
  const found: Import[] = []
  const code = withoutComments(text)
  for (const [, type, to] of code.matchAll(
    /^\s*(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s*)?['"]([^'"]+)['"]/gmu,
  )) {
    if (to !== undefined) found.push({ from: path, to, typeOnly: type !== undefined })
  }
  for (const [, to] of code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/gu)) {
    if (to !== undefined) found.push({ from: path, to, typeOnly: false })
  }
  return found
}

/** The code alone, line for line. Good enough for this house: no comment marks stand inside of its strings. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//gu, (comment) => comment.replace(/[^\n]/gu, ' '))
    .replace(/(^|\s)\/\/.*$/gmu, '$1')
}

/** The file that a relative import means, from the root. */
const targetOf = ({ from, to }: Import): string =>
  relative(ROOT, resolve(ROOT, dirname(from), to)).replaceAll('\\', '/')
const isRelative = ({ to }: Import): boolean => to.startsWith('.')

/** Imports of packages that match, in files that do not. */
function strayImports(packages: RegExp, folders: RegExp, sources = shipped): readonly string[] {
  return sources
    .filter(({ path }) => !folders.test(path))
    .flatMap(importsOf)
    .filter(({ to }) => packages.test(to))
    .map(({ from, to }) => `${from} imports ${to}`)
}

/** Lines of code that match, as `path:line`. */
function linesWith(pattern: RegExp, sources: readonly Source[]): readonly string[] {
  return sources.flatMap(({ path, text }) =>
    withoutComments(text)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  )
}

test('the rules look at something', () => {
  expect(packaged.length).toBeGreaterThan(50)
  expect(packaged.flatMap(importsOf).length).toBeGreaterThan(100)
})

describe('files', () => {
  test('have at most 400 lines', () => {
    const long = everything.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    expect(long.filter(({ lines }) => lines > 400)).toEqual([])
  })

  test('leave nothing to do: no TODO, FIXME or XXX', () => {
    const marked = everything.filter(
      ({ path, text }) => path !== 'test/tidy.test.ts' && /\b(?:TODO|FIXME|XXX)\b/u.test(text),
    )
    expect(marked.map(({ path }) => path)).toEqual([])
  })

  test('document every export, right above it', () => {
    const bare = packaged.flatMap(({ path, text }) => {
      const lines = text.split('\n')
      return lines.flatMap((line, index) => {
        if (!/^export (?!\*|\{|type \{)/u.test(line)) return []
        const above = lines.slice(0, index).findLast((other) => !other.startsWith('//')) ?? ''
        // Constants in a row share the words above the first of them, as fields of one object do.
        if (/^export const \w+ = [^{[(]+$/u.test(line) && /^export const /u.test(lines[index - 1] ?? '')) return []
        const overloaded = /^export (?:async )?function (\w+)/u.exec(line)?.[1]
        if (overloaded !== undefined && above.startsWith(`export function ${overloaded}`)) return []
        return above.trimEnd().endsWith('*/') ? [] : [`${path}:${index + 1}: ${line}`]
      })
    })
    expect(bare).toEqual([])
  })
})

describe('dependencies', () => {
  test('point inward: protocol ← checks, simulator ← agent', () => {
    const allowed: Readonly<Record<string, readonly string[]>> = {
      protocol: [],
      checks: ['protocol'],
      simulator: ['protocol'],
      agent: ['protocol', 'checks', 'simulator'],
      web: ['protocol'],
    }
    const outward = packaged.flatMap((source) => {
      const [, own = ''] = source.path.split('/')
      return importsOf(source).flatMap((one) => {
        const other =
          /^@muster\/([^/]+)/u.exec(one.to)?.[1] ??
          (isRelative(one) ? /^packages\/([^/]+)/u.exec(targetOf(one))?.[1] : undefined)
        const isFine = other === undefined || other === own || allowed[own]?.includes(other) === true
        return isFine ? [] : [`${one.from} imports ${one.to}`]
      })
    })
    expect(outward).toEqual([])
  })

  test('of the protocol are four libraries and itself', () => {
    const own = /^\.|^(?:@ipld\/dag-cbor|multiformats|@noble\/hashes|zod)(?:\/|$)/u
    const foreign = shipped
      .filter(({ path }) => path.startsWith('packages/protocol/'))
      .flatMap(importsOf)
      .filter(({ to }) => !own.test(to))
    expect(foreign).toEqual([])
  })

  test.each<[string, RegExp, RegExp]>([
    ['libp2p', /^(?:libp2p|@libp2p\/.*|@chainsafe\/libp2p.*)$/u, /^packages\/agent\/src\/(?:swarm|identity|waku)\//u],
    ['level', /^(?:level|classic-level|abstract-level|memory-level)(?:\/|$)/u, /^packages\/agent\/src\/storage\//u],
    ['Waku', /^@waku\//u, /^packages\/agent\/src\/waku\//u],
  ])('on %s stay in its folder', (_, packages, folders) => {
    expect(strayImports(packages, folders)).toEqual([])
  })

  test('lead nowhere into test/', () => {
    const strays = packaged.flatMap(importsOf).filter((one) => isRelative(one) && targetOf(one).startsWith('test/'))
    expect(strays).toEqual([])
  })

  test('of what is shipped lead to nothing that only tests use', () => {
    const strays = shipped
      .flatMap(importsOf)
      .filter((one) => isRelative(one) && isOfTests({ path: targetOf(one), text: '' }))
      .map(({ from, to }) => `${from} imports ${to}`)
    expect(strays).toEqual([])
  })

  test('form no cycles at run time', () => {
    const edges = new Map(
      shipped.map((source) => [
        source.path,
        importsOf(source)
          .filter((one) => isRelative(one) && !one.typeOnly)
          .map(targetOf),
      ]),
    )
    expect(cyclesOf(edges)).toEqual([])
  })
})

/** One cycle through each file that stands on one, as a chain of paths. */
function cyclesOf(edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const cycles = new Set<string>()
  const done = new Set<string>()
  const visit = (path: string, chain: readonly string[]): void => {
    const at = chain.indexOf(path)
    if (at >= 0) cycles.add([...chain.slice(at), path].join(' → '))
    if (at >= 0 || done.has(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...chain, path])
    done.add(path)
  }
  for (const path of edges.keys()) visit(path, [])
  return [...cycles]
}

describe('the protocol and the simulator', () => {
  const pure = shipped.filter(({ path }) => /^packages\/(?:protocol|simulator)\//u.test(path))

  test('have no clock, no chance and no I/O', () => {
    const ambient =
      /['"]node:|\bDate\b|\bMath\.random\b|\b(?:set|clear)(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bperformance\.|\bprocess\.|\bfetch\(|\bcrypto\.|\bconsole\.|\bglobalThis\b/u
    expect(linesWith(ambient, pure)).toEqual([])
  })

  test('wait for nothing', () => {
    expect(linesWith(/\basync\b|\bawait\b|\bPromise\b/u, pure)).toEqual([])
  })
})

describe('installed versions', () => {
  interface Locked {
    readonly version?: string
  }
  const lock: { readonly packages: Readonly<Record<string, Locked>> } = JSON.parse(
    readFileSync(join(ROOT, 'package-lock.json'), 'utf8'),
  )
  const versionsOf = (name: string): readonly (readonly [where: string, version: string])[] =>
    Object.entries(lock.packages)
      .filter(([where]) => where.endsWith(`node_modules/${name}`))
      .map(([where, { version = '0.0.0' }]) => [where, version] as const)

  // Known advisories; `never` is for what we do not ship at all.
  test.each<[string, string]>([
    ['@libp2p/gossipsub', '15.0.23'],
    ['@chainsafe/libp2p-gossipsub', 'never'],
    ['@libp2p/crypto', '5.1.22'],
    ['@libp2p/floodsub', '11.0.26'],
    ['@libp2p/webrtc', 'never'],
    ['@libp2p/kad-dht', 'never'],
  ])('of %s are at least %s', (name, least) => {
    const old = versionsOf(name).filter(([, version]) => least === 'never' || isBelow(version, least))
    expect(old).toEqual([])
  })

  test('are pinned, for each package that we name ourselves', () => {
    const loose = ['.', ...PACKAGES.map((name) => `packages/${name}`)].flatMap((folder) => {
      const file = join(ROOT, folder, 'package.json')
      if (!existsSync(file)) return []
      const {
        dependencies = {},
        devDependencies = {},
        optionalDependencies = {},
      } = JSON.parse(readFileSync(file, 'utf8'))
      return Object.entries<string>({ ...dependencies, ...devDependencies, ...optionalDependencies })
        .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/u.test(version))
        .map(([name, version]) => `${folder}: ${name}@${version}`)
    })
    expect(loose).toEqual([])
  })
})

/** Whether a version is below another, by its three numbers. A pre-release counts as its release. */
function isBelow(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split(/[.-]/u).slice(0, 3).map(Number)) as [number[], number[]]
  const differing = [0, 1, 2].find((index) => a[index] !== b[index])
  return differing !== undefined && (a[differing] ?? 0) < (b[differing] ?? 0)
}
