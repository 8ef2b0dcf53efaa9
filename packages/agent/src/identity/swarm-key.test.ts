import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError } from '../config/errors.ts'
import {
  EXAMPLE_SWARM_KEY,
  formatSwarmKey,
  generateSwarmKey,
  parseSwarmKey,
  readSwarmKey,
  writeSwarmKey,
} from './swarm-key.ts'

const HEAD = '/key/swarm/psk/1.0.0/\n/base16/\n'
const DIGITS = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'
const EXAMPLE = new URL('../../../../swarm.key.example', import.meta.url)

describe('a swarm key file is read', () => {
  test.each([
    ['as written by IPFS', `${HEAD}${DIGITS}\n`],
    ['without a last line end', `${HEAD}${DIGITS}`],
    ['with line ends of Windows', `${HEAD}${DIGITS}\n`.replaceAll('\n', '\r\n')],
    ['in capitals', `${HEAD}${DIGITS.toUpperCase()}\n`],
  ])('%s', (_, text) => {
    expect(Buffer.from(parseSwarmKey(text, 'swarm.key')).toString('hex')).toBe(DIGITS)
  })

  test.each([
    ['empty', '', 'swarm-key-empty', undefined],
    ['only line ends', '\n\n', 'swarm-key-empty', undefined],
    ['another header', `/key/swarm/psk/2.0.0/\n/base16/\n${DIGITS}\n`, 'swarm-key-malformed', 1],
    ['a byte order mark', `\uFEFF${HEAD}${DIGITS}\n`, 'swarm-key-malformed', 1],
    ['only the digits', `${DIGITS}\n`, 'swarm-key-malformed', 1],
    ['base64', '/key/swarm/psk/1.0.0/\n/base64/\nAAAA\n', 'swarm-key-malformed', 2],
    ['no encoding', `/key/swarm/psk/1.0.0/\n${DIGITS}\n`, 'swarm-key-malformed', 2],
    ['no key', HEAD, 'swarm-key-length', 3],
    ['a digit too few', `${HEAD}${DIGITS.slice(1)}\n`, 'swarm-key-length', 3],
    ['a digit too many', `${HEAD}${DIGITS}0\n`, 'swarm-key-length', 3],
    ['no hex', `${HEAD}${DIGITS.slice(0, -1)}g\n`, 'swarm-key-malformed', 3],
    ['something after the key', `${HEAD}${DIGITS}\n\n${DIGITS}\n`, 'swarm-key-malformed', 5],
    ['all bytes alike', `${HEAD}${'00'.repeat(32)}\n`, 'swarm-key-weak', 3],
  ])('%s is refused', (_, text, code, line) => {
    const error = errorOf(() => parseSwarmKey(text, '/a/swarm.key'))
    expect(error).toMatchObject({ code, exitCode: 2 })
    expect(error.line).toBe(line)
    expect(error.message.startsWith('/a/swarm.key')).toBe(true)
    expect(error.message.split('\n').length).toBeLessThanOrEqual(2)
    expect(error.message).not.toContain(DIGITS.slice(1))
  })

  test('the example is refused as what it is, whatever its spelling', async () => {
    const text = await readFile(EXAMPLE, 'utf8')
    expect(text).toBe(formatSwarmKey(EXAMPLE_SWARM_KEY))
    for (const spelling of [
      text,
      text.toUpperCase().replace('/KEY/SWARM/PSK/', '/key/swarm/psk/').replace('BASE', 'base'),
    ]) {
      expect(errorOf(() => parseSwarmKey(spelling, 'swarm.key')).message).toContain('this is the example key')
    }
  })

  test('any text gives a key or a ConfigError', () => {
    const line = fc.oneof(fc.constantFrom('/key/swarm/psk/1.0.0/', '/base16/', DIGITS, '', '\r'), fc.string())
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), fc.constantFrom('\n', '\r\n'), (lines, end) => {
        const outcome = attempt(() => parseSwarmKey(lines.join(end), 'swarm.key'))
        expect(outcome instanceof ConfigError || outcome instanceof Uint8Array).toBe(true)
      }),
    )
  })

  test('what is written is read again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        fc.pre(new Set(key).size > 1)
        expect(parseSwarmKey(formatSwarmKey(key), 'swarm.key')).toEqual(key)
      }),
    )
  })
})

describe('on disk', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-swarm-key-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('a new key is readable by its owner alone, leaves no draft, and is never overwritten', async () => {
    const path = join(folder, 'swarm.key')
    const key = generateSwarmKey()
    await writeSwarmKey(path, key)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readSwarmKey(path)).toEqual(key)
    await expect(writeSwarmKey(path, generateSwarmKey())).rejects.toMatchObject({ code: 'swarm-key-exists' })
    expect(await readSwarmKey(path)).toEqual(key)
    expect(await readdir(folder)).toEqual(['swarm.key'])
  })

  test.each([0o640, 0o604, 0o660, 0o666, 0o601])('a key of mode %o is refused with the chmod to type', async (mode) => {
    const path = join(folder, 'it is open.key')
    await writeFile(path, formatSwarmKey(generateSwarmKey()))
    await chmod(path, mode)
    await expect(readSwarmKey(path)).rejects.toMatchObject({
      code: 'swarm-key-exposed',
      remedy: `type: chmod 600 '${path}'`,
    })
  })

  test('a copy of the example is told to be one, before its mode is', async () => {
    const path = join(folder, 'copy.key')
    await writeFile(path, await readFile(EXAMPLE))
    await chmod(path, 0o644)
    await expect(readSwarmKey(path)).rejects.toMatchObject({ code: 'swarm-key-example', line: 3 })
  })

  test('a missing file, a folder, an empty and a huge file are told apart', async () => {
    const path = join(folder, 'other.key')
    await expect(readSwarmKey(path)).rejects.toMatchObject({ code: 'swarm-key-missing' })
    await expect(readSwarmKey(join(folder, 'swarm.key', 'x'))).rejects.toMatchObject({ code: 'swarm-key-missing' })
    await expect(readSwarmKey(folder)).rejects.toMatchObject({ code: 'swarm-key-malformed' })
    await writeFile(path, '', { mode: 0o600 })
    await expect(readSwarmKey(path)).rejects.toMatchObject({ code: 'swarm-key-empty' })
    await writeFile(path, 'x'.repeat(5000))
    await expect(readSwarmKey(path)).rejects.toMatchObject({ code: 'swarm-key-malformed' })
  })
})

function attempt<Result>(run: () => Result): Result | unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

function errorOf(run: () => unknown): ConfigError {
  const outcome = attempt(run)
  if (!(outcome instanceof ConfigError)) throw new Error('expected a ConfigError', { cause: outcome })
  return outcome
}
