import { describe, expect, it } from 'vitest'
import { explainDialError } from './dial-report.ts'

const address = '/dns4/vps-1.example.org/tcp/4650'
const error = (name: string, code = '', message = ''): Error => Object.assign(new Error(message), { name, code })

describe('a failed dial is explained', () => {
  it.each([
    [error('Error', 'ECONNREFUSED'), false, 'nobody-answers', `nobody answers at ${address} (connection refused)`],
    [error('Error', 'ENOTFOUND'), false, 'nobody-answers', `nobody answers at ${address} (name not found)`],
    [error('Error', 'EHOSTUNREACH'), false, 'nobody-answers', `nobody answers at ${address} (no route)`],
    [error('TimeoutError'), false, 'nobody-answers', `nobody answers at ${address} (no answer in time)`],
    [error('AbortError'), false, 'nobody-answers', `nobody answers at ${address} (no answer in time)`],
    [
      new AggregateError([error('Error', 'ECONNREFUSED')]),
      false,
      'nobody-answers',
      `nobody answers at ${address} (connection refused)`,
    ],
    [error('StreamResetError'), true, 'wrong-swarm-key', `${address} hangs up on us: wrong swarm key?`],
    [
      error('EncryptionFailedError', '', 'Message length length too long'),
      true,
      'wrong-swarm-key',
      `${address} hangs up on us: wrong swarm key?`,
    ],
    [error('TimeoutError'), true, 'nobody-answers', `nobody answers at ${address} (no answer in time)`],
    [error('Error', 'ECONNRESET'), true, 'wrong-swarm-key', `${address} hangs up on us: wrong swarm key?`],
    [
      error('Error', 'ECONNRESET'),
      false,
      'hangs-up',
      `something hangs up on us at ${address}: another program, or a host with another swarm key`,
    ],
    [
      error('UnexpectedEOFError'),
      false,
      'hangs-up',
      `something hangs up on us at ${address}: another program, or a host with another swarm key`,
    ],
    [
      error('StreamClosedError'),
      false,
      'hangs-up',
      `something hangs up on us at ${address}: another program, or a host with another swarm key`,
    ],
    [error('WrongSwarmKeyError'), false, 'wrong-swarm-key', `${address} hangs up on us: wrong swarm key?`],
    [
      error('NotAdmittedError', 'not-admitted'),
      true,
      'not-admitted',
      `${address} holds the swarm key but does not let us in, or we not it: is it of this mesh?`,
    ],
    [error('InvalidPeerIdError', '', 'Can not dial self'), true, 'ourselves', `${address} is this host itself`],
    [
      error('UnexpectedPeerError'),
      true,
      'another-host',
      `another host answers at ${address} than the one expected there`,
    ],
    [
      error('NoValidAddressesError'),
      false,
      'bad-address',
      `${address} is not an address that can be dialled (NoValidAddressesError)`,
    ],
    [error('Strange', 'EWHAT'), false, 'failed', `dialling ${address} failed: EWHAT`],
    ['no error at all', false, 'failed', `dialling ${address} failed: string`],
  ])('%s, answered: %s: %s', (cause, answered, problem, explanation) => {
    expect(explainDialError({ address, error: cause, answered })).toEqual({ problem, explanation })
  })
})
