import { describe, expect, it } from 'vitest'
import { guardedLookup, isRefusedAddress, REFUSED_ADDRESS } from './addresses.ts'

describe('isRefusedAddress', () => {
  it.each([
    '169.254.169.254',
    '169.254.0.1',
    '100.100.100.200',
    '168.63.129.16',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b::169.254.169.254',
    '2002:a9fe:a9fe::1',
    '::169.254.169.254',
  ])('refuses %s', (address) => {
    expect(isRefusedAddress(address)).toBe(true)
  })

  it.each([
    '127.0.0.1',
    '10.0.0.1',
    '192.168.1.1',
    '169.253.1.1',
    '::1',
    '::',
    'fd00::1',
    '::ffff:127.0.0.1',
    '2001:db8::1',
    'example.org',
  ])('lets %s be', (address) => {
    expect(isRefusedAddress(address)).toBe(false)
  })
})

describe('guardedLookup', () => {
  const look = (name: string, all: boolean) =>
    new Promise((resolve) => {
      guardedLookup(name, { all }, (error, address) => resolve(error?.code ?? address))
    })

  it('refuses a name that leads to a refused address', async () => {
    // A literal resolves to itself.
    expect(await look('169.254.169.254', true)).toBe(REFUSED_ADDRESS)
    expect(await look('169.254.169.254', false)).toBe(REFUSED_ADDRESS)
    expect(await look('fe80::1', true)).toBe(REFUSED_ADDRESS)
  })

  it('gives all addresses, or the first', async () => {
    expect(await look('127.0.0.1', true)).toEqual([{ address: '127.0.0.1', family: 4 }])
    expect(await look('127.0.0.1', false)).toBe('127.0.0.1')
  })

  it('passes on that there is no such name', async () => {
    expect(await look('name.invalid', false)).toMatch(/^(?:ENOTFOUND|EAI_AGAIN)$/u)
  })
})
