/**
 * Any value of the core as one that dag-cbor takes, and back, exactly.
 *
 * dag-cbor has no maps of pairs, no sets, no `undefined`, no infinities and no minus zero. Each becomes a map with the one
 * key `~`, whose list says what it was. A map that has such a key of its own is written as a list of pairs.
 */
import { assert, ProtocolError } from '@muster/protocol'

const MARK = '~'

/** The value without anything that dag-cbor cannot say. */
export function toPlain(value: unknown): unknown {
  switch (typeof value) {
    case 'boolean':
      return value
    case 'string':
      return value.isWellFormed() ? value : { [MARK]: ['text', unitsOf(value)] }
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { [MARK]: ['number', numberName(value)] }
    case 'undefined':
      return { [MARK]: ['undefined'] }
    case 'object':
      return value === null ? null : objectToPlain(value)
    default:
      throw new Error(`assertion failed: a core holds no ${typeof value}`)
  }
}

function objectToPlain(value: object): unknown {
  if (Array.isArray(value)) return value.map(toPlain)
  if (value instanceof Uint8Array) return value
  if (isMap(value)) return { [MARK]: ['map', Array.from(value, ([key, held]) => [toPlain(key), toPlain(held)])] }
  if (value instanceof Set) return { [MARK]: ['set', Array.from(value, toPlain)] }
  const prototype: unknown = Object.getPrototypeOf(value)
  assert(prototype === Object.prototype || prototype === null, 'a core holds plain data')
  const pairs = Object.entries(value).map(([key, held]) => [key, toPlain(held)] as const)
  return MARK in value ? { [MARK]: ['object', pairs] } : Object.fromEntries(pairs)
}

/** Whether it is a map: the core has some of its own making, which behave as a `Map` does and come back as one. */
export function isMap(value: unknown): value is ReadonlyMap<unknown, unknown> {
  if (value instanceof Map) return true
  if (typeof value !== 'object' || value === null) return false
  const { get, has, entries } = value as Partial<ReadonlyMap<unknown, unknown>>
  return typeof get === 'function' && typeof has === 'function' && typeof entries === 'function'
}

/** The value that was. Throws a `ProtocolError` `malformed`. */
export function fromPlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(fromPlain)
  const marked = Object.hasOwn(value, MARK) ? (value as Record<string, unknown>)[MARK] : undefined
  if (marked !== undefined) return markedValue(marked)
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, fromPlain(held)]))
}

function markedValue(marked: unknown): unknown {
  const [kind, held] = listOf(marked)
  switch (kind) {
    case 'undefined':
      return undefined
    case 'number':
      return numberNamed(held)
    case 'text':
      return listOf(held)
        .map((unit) => String.fromCharCode(Number(unit)))
        .join('')
    case 'map':
      return new Map(pairsOf(held).map(([key, its]) => [fromPlain(key), fromPlain(its)]))
    case 'set':
      return new Set(listOf(held).map(fromPlain))
    case 'object':
      return Object.fromEntries(pairsOf(held).map(([key, its]) => [String(key), fromPlain(its)]))
    default:
      throw new ProtocolError('malformed', 'a value of no known kind')
  }
}

/** Half of a surrogate pair, as where a text was cut, has no UTF-8. */
function unitsOf(text: string): readonly number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
}

function numberName(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function numberNamed(name: unknown): number {
  if (name === '-0' || name === 'NaN' || name === 'Infinity' || name === '-Infinity') return Number(name)
  throw new ProtocolError('malformed', 'a number of no known name')
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new ProtocolError('malformed', 'no list where one belongs')
  return value
}

function pairsOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  return listOf(value).map((pair) => {
    const [key, held] = listOf(pair)
    return [key, held]
  })
}
