import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isSecretReference, readSecret, resolveSecrets, SecretError, withoutSecrets } from './secrets.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-secrets-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('secrets', () => {
  it('are read from the environment and from files, in maps too', async () => {
    const file = join(folder, 'token')
    await writeFile(file, 'from-file\n')
    const options = {
      url: 'env:SITE',
      headers: { authorization: `file:${file}`, accept: 'text/plain' },
      method: 'env:SITE',
    }
    const resolved = await resolveSecrets(options, ['url', 'headers'], { SITE: 'http://a/' })
    expect(resolved.options).toEqual({
      url: 'http://a/',
      headers: { authorization: 'from-file', accept: 'text/plain' },
      method: 'env:SITE',
    })
    expect(resolved.secrets).toEqual(['http://a/', 'from-file'])
  })

  it.each([
    ['env:NOT_THERE', 'the environment has no NOT_THERE'],
    ['file:/not/there', '/not/there cannot be read'],
  ])('%s that is not there is named', async (reference, message) => {
    const reading = readSecret(reference, {})
    await expect(reading).rejects.toThrow(SecretError)
    await expect(reading).rejects.toThrow(message)
  })

  it('tells a reference from a text', () => {
    expect(isSecretReference('env:A')).toBe(true)
    expect(isSecretReference('https://a')).toBe(false)
    expect(isSecretReference('env:')).toBe(false)
  })

  it('are cut out of text', () => {
    expect(withoutSecrets('token abc.def rejected', ['abc.def'])).toBe('token *** rejected')
  })
})
