import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { cpuTicksOf, createSentCounter, parseConnections, parseSentOnWire } from './process-readings.ts'

const line = (pid: number, local: number, remote: number, sent: number | null): string =>
  `ESTAB 0      0      127.0.0.1:${local}  127.0.0.1:${remote} users:(("MainThread",pid=${pid},fd=34)) cubic rto:208 ` +
  `${sent === null ? '' : `bytes_sent:${sent} bytes_acked:9 `}bytes_received:6438`

describe('readings', () => {
  it('of ss: pids, ports and bytes, where there are any', () => {
    const text = [
      line(7, 4650, 39_588, 120),
      line(8, 39_588, 4650, null),
      'ESTAB 0 0 [::1]:4652 [::1]:5 users:(("node",pid=9,fd=1)) bytes_sent:3',
      'LISTEN 0 511 127.0.0.1:4650 0.0.0.0:* users:(("node",pid=7,fd=20))',
      'ESTAB 0 0 127.0.0.1:1 127.0.0.1:2 cubic bytes_sent:5',
      '',
    ].join('\n')
    expect(parseConnections(text)).toEqual([
      { pid: 7, localPort: 4650, remotePort: 39_588, bytesSent: 120 },
      { pid: 8, localPort: 39_588, remotePort: 4650, bytesSent: 0 },
      { pid: 9, localPort: 4652, remotePort: 5, bytesSent: 3 },
    ])
  })

  it('of /proc/PID/stat: user and system time, whatever the program is called', () => {
    const rest = `S 1 2 3 4 5 6 7 8 9 10 ${[300, 45].join(' ')} 0 0`
    expect(cpuTicksOf(`12 (a) b (c) ${rest}`)).toBe(345)
  })

  it('of /proc/PID/net/dev: what all interfaces but loopback have sent', () => {
    const text = [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
      '    lo:  900      9    0    0    0     0          0         0      900       9    0    0    0     0       0          0',
      '  eth0: 1000     10    0    0    0     0          0         0     2000      21    0    0    0     0       0          0',
      '',
    ].join('\n')
    expect(parseSentOnWire(text)).toEqual({ bytes: 2_000, packets: 21 })
  })

  it('of this very process', async () => {
    expect(cpuTicksOf(await readFile('/proc/self/stat', 'utf8'))).toBeGreaterThan(0)
  })
})

describe('bytes sent between readings', () => {
  const at = (pid: number, localPort: number, bytesSent: number) => ({ pid, localPort, remotePort: 1, bytesSent })

  it('are the growth of old connections and the whole of new ones, also of those that ended', () => {
    const counter = createSentCounter()
    counter.read([at(7, 10, 1_000), at(8, 20, 5)])
    counter.read([at(7, 10, 1_100), at(7, 11, 30)])
    counter.read([at(7, 10, 1_150)])
    expect(counter.sum(({ pid }) => pid === 7)).toBe(180)
    expect(counter.sum(({ pid }) => pid === 8)).toBe(0)
    expect(counter.sum(({ localPort }) => localPort === 11)).toBe(30)
  })
})
