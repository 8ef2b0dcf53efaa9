/**
 * Secrets of a config: `env:NAME` or `file:PATH` where a text is expected.
 *
 * They are read just before a run, so that a rotated secret needs no reload, and cut out of whatever the run says.
 */
import { readFile, stat } from 'node:fs/promises'
import { SECRET_BYTES_MAX } from './limits.ts'

const REFERENCE = /^(env|file):(.+)$/su

/** A secret that could not be read. `message` names where it was to come from, never what it holds. */
export class SecretError extends Error {
  override readonly name = 'SecretError'
  readonly code = 'secret-missing'
}

/** True for `env:NAME` and `file:PATH`. */
export function isSecretReference(text: string): boolean {
  return REFERENCE.test(text)
}

/** Options with every reference replaced, and the secrets that were put in. */
export interface Resolved {
  readonly options: Readonly<Record<string, unknown>>
  readonly secrets: readonly string[]
}

/**
 * Replaces references in the named options: a text, or the texts of a map or list.
 *
 * Throws a `SecretError` when one is not there.
 */
export async function resolveSecrets(
  options: Readonly<Record<string, unknown>>,
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Resolved> {
  const secrets: string[] = []
  const resolve = async (value: unknown): Promise<unknown> => {
    if (typeof value === 'string') {
      if (!isSecretReference(value)) return value
      const secret = await readSecret(value, env)
      secrets.push(secret)
      return secret
    }
    if (Array.isArray(value)) return Promise.all(value.map(resolve))
    if (typeof value !== 'object' || value === null) return value
    const entries = await Promise.all(Object.entries(value).map(async ([key, held]) => [key, await resolve(held)]))
    return Object.fromEntries(entries)
  }
  const resolved: Record<string, unknown> = { ...options }
  for (const name of names) if (Object.hasOwn(options, name)) resolved[name] = await resolve(options[name])
  return { options: resolved, secrets }
}

/**
 * The text behind one reference; a file's last line end is not part of it. Other text is returned as it is.
 *
 * Throws a `SecretError`.
 */
export async function readSecret(text: string, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const [, source, place = ''] = REFERENCE.exec(text) ?? []
  if (source === undefined) return text
  if (source === 'env') {
    const value = env[place]
    if (value === undefined || value === '') throw new SecretError(`the environment has no ${place}`)
    return value
  }
  try {
    if ((await stat(place)).size > SECRET_BYTES_MAX) throw new SecretError(`${place} is too large for a secret`)
    return (await readFile(place, 'utf8')).replace(/\r?\n$/u, '')
  } catch (cause) {
    if (cause instanceof SecretError) throw cause
    throw new SecretError(`${place} cannot be read`, { cause })
  }
}

/** The text with every secret of three or more characters cut out. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text
  for (const secret of secrets) if (secret.length >= 3) clean = clean.replaceAll(secret, '***')
  return clean
}
