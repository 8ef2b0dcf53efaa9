/**
 * The swarm key: 32 secret bytes that wrap every connection of the mesh. Who has no key hears only noise.
 *
 * The file is IPFS's: `/key/swarm/psk/1.0.0/`, a line that names the encoding, a line of 64 hex digits.
 * Source: https://github.com/libp2p/specs/blob/master/pnet/Private-Networks-PSK-V1.md
 */
import { randomBytes } from 'node:crypto'
import { equalBytes } from '@muster/protocol'
import { type ConfigError, type ConfigProblem, configError, quote } from '../config/errors.ts'
import { type KeyFileWords, readKeyFile, writeKeyFile } from './key-file.ts'

/** The length of a swarm key. Fixed by XSalsa20. */
export const SWARM_KEY_BYTES = 32

/** The key in `swarm.key.example`. Everyone knows it, so it is refused. */
export const EXAMPLE_SWARM_KEY: Uint8Array = new TextEncoder().encode('THIS IS AN EXAMPLE, NOT A SECRET')

const HEADER = '/key/swarm/psk/1.0.0/'
const ENCODING = '/base16/'
const OTHER_ENCODINGS: readonly string[] = ['/base64/', '/bin/']
// `init` and `join` refuse the folder of a host that has lost its key.
const HOW_TO_GET_ONE =
  'copy the swarm.key of another host to there; a new mesh begins in a new folder, with `init --dir DIR`'

const WORDS: KeyFileWords = { code: 'swarm-key', noun: 'swarm key', whenMissing: HOW_TO_GET_ONE }

/** A fresh key from the system's generator. */
export function generateSwarmKey(): Uint8Array {
  return new Uint8Array(randomBytes(SWARM_KEY_BYTES))
}

/** The text of a key file. */
export function formatSwarmKey(key: Uint8Array): string {
  return `${HEADER}\n${ENCODING}\n${Buffer.from(key).toString('hex')}\n`
}

/**
 * Reads the text of a key file. Line ends of any system and capital digits are fine.
 *
 * Throws a `ConfigError` that never repeats the key: `swarm-key-empty`, `-malformed` (with its line), `-length`,
 * `-example`, or `-weak` when all bytes are alike.
 */
export function parseSwarmKey(text: string, file: string): Uint8Array {
  const lines = text.split('\n').map((line) => line.trimEnd())
  if (lines.every((line) => line === '')) throw fail(file, 'empty', 'the swarm key is empty', HOW_TO_GET_ONE)
  const [header, encoding = '', digits = '', ...rest] = lines
  if (header !== HEADER) throw fail(file, 'malformed', `this is not ${HEADER}`, `line 1 must be ${HEADER}`, 1)
  if (OTHER_ENCODINGS.includes(encoding)) {
    const what = `the encoding ${encoding} is not read here`
    throw fail(file, 'malformed', what, `write ${ENCODING} and the key as ${SWARM_KEY_BYTES * 2} hex digits`, 2)
  }
  if (encoding !== ENCODING) throw fail(file, 'malformed', `this is not ${ENCODING}`, `line 2 must be ${ENCODING}`, 2)
  checkDigits(file, digits)
  const extra = rest.findIndex((line) => line !== '')
  if (extra !== -1) {
    throw fail(file, 'malformed', 'nothing may follow the key', 'remove everything after line 3', 4 + extra)
  }
  const key = new Uint8Array(Buffer.from(digits, 'hex'))
  if (equalBytes(key, EXAMPLE_SWARM_KEY)) {
    throw fail(file, 'example', 'this is the example key, which everyone knows', HOW_TO_GET_ONE, 3)
  }
  if (key.every((byte) => byte === key[0])) {
    throw fail(file, 'weak', 'all bytes of this key are alike: it keeps nobody out', HOW_TO_GET_ONE, 3)
  }
  return key
}

function checkDigits(file: string, digits: string): void {
  const strange = digits.search(/[^0-9a-fA-F]/)
  if (strange !== -1) {
    // One character of a broken key is no secret worth keeping from its owner.
    const what = `${quote(digits.charAt(strange))} is not a hex digit`
    const remedy = `line 3 must be ${SWARM_KEY_BYTES * 2} of 0-9 and a-f`
    throw fail(file, 'malformed', what, remedy, 3, strange + 1)
  }
  if (digits.length !== SWARM_KEY_BYTES * 2) {
    const what = `the key has ${digits.length} hex digits, not ${SWARM_KEY_BYTES * 2}`
    throw fail(file, 'length', what, 'copy the whole file again from another host', 3)
  }
}

function fail(file: string, kind: string, what: string, remedy: string, line?: number, column?: number): ConfigError {
  const problem: ConfigProblem = {
    code: `swarm-key-${kind}`,
    file,
    what,
    remedy,
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
  }
  return configError(problem)
}

/** Reads and checks a key file. Throws what `parseSwarmKey` throws, and `swarm-key-missing`, `-unreadable`, `-exposed`. */
export async function readSwarmKey(path: string): Promise<Uint8Array> {
  return await readKeyFile(path, WORDS, (text) => parseSwarmKey(text, path))
}

/** Writes a key file that only its owner can read. Throws a `ConfigError` `swarm-key-exists` instead of overwriting. */
export async function writeSwarmKey(path: string, key: Uint8Array): Promise<void> {
  await writeKeyFile(path, formatSwarmKey(key), WORDS)
}
