/**
 * Secrets stay out of the config: it says where they are, and they are read when they are needed.
 */
import { isSecretReference, readSecret, SecretError } from '@muster/checks'
import { configError } from './errors.ts'

/** The environment that `env:NAME` is read from. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The text behind `env:NAME` or `file:PATH`, without its last line end.
 *
 * Throws a `ConfigError`: `secret-missing` when it is not there or empty, `secret-literal` when the secret itself was
 * written. Neither repeats any of it. `key` is the config's key, for the error.
 */
export async function resolveSecret(text: string, key: string, env: Environment): Promise<string> {
  const remedy = 'write env:NAME, or file:/path/of/a/file that only you can read'
  if (!isSecretReference(text)) {
    throw configError({ code: 'secret-literal', what: `${key} holds a secret itself, not where it is`, remedy })
  }
  const missing = (why: string, cause?: unknown) =>
    configError(
      { code: 'secret-missing', what: `${key} cannot be read: ${why}`, remedy: 'set it, or name another place' },
      { cause },
    )
  let secret: string
  try {
    secret = await readSecret(text, env)
  } catch (cause) {
    if (cause instanceof SecretError) throw missing(cause.message, cause)
    throw cause
  }
  if (secret === '') throw missing(`${text} is empty`)
  return secret
}
