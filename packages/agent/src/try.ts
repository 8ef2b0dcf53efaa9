import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { startAgent } from './agent.ts'
import { initialConfig } from './config/init.ts'
import { resolveFolder, createFolder } from './identity/folder.ts'
import { generateHostKey, writeHostKey } from './identity/host-key.ts'
import { generateSwarmKey, writeSwarmKey } from './identity/swarm-key.ts'
const key = generateSwarmKey()
const t0 = performance.now()
const log = (n: string) => { const f = (l: string) => (p: string, x: object = {}) => console.log(((performance.now()-t0)/1000).toFixed(2), n, l, p, JSON.stringify(x)); return { debug: process.env.D ? f('debug') : () => {}, info: f('info'), warn: f('warn') } }
rmSync('/tmp/m3', { recursive: true, force: true })
const agents: any = {}
const start = async (n: string, i: number) => {
  const folder = resolveFolder({ dir: `/tmp/m3/${n}`, env: {}, homeDir: '/tmp', workingDir: '/tmp' })
  return agents[n] = await startAgent({ folder, log: log(n) })
}
let i = 0
for (const n of ['vps-1', 'laptop', 'home']) {
  const folder = resolveFolder({ dir: `/tmp/m3/${n}`, env: {}, homeDir: '/tmp', workingDir: '/tmp' })
  await createFolder(folder)
  await writeSwarmKey(folder.swarmKey, key); await writeHostKey(folder.identityKey, generateHostKey())
  const text = initialConfig({ host: n, ports: { swarm: 24650 + i*10, waku: 24652 + i*10, api: 24651 + i*10 }, peers: i ? ['/ip4/127.0.0.1/tcp/24650'] : [] }).replaceAll('0.0.0.0', '127.0.0.1')
  writeFileSync(folder.config, text)
  await start(n, i++)
}
const show = () => { for (const [n, a] of Object.entries<any>(agents)) console.log(((performance.now()-t0)/1000).toFixed(2), n, [...a.port.state().members.values()].map((m: any) => [m.profile?.name, m.state, m.direct, Math.round(a.port.state().clock.awakeMs - m.heardAtMs)]), a.port.state().quiet, JSON.stringify(a.port.reach().waku), a.port.state().records.size) }
setTimeout(show, 5000); setTimeout(show, 14000)
setTimeout(async () => { console.log('history', await agents.laptop.port.historyDigest()); console.log('history', await agents.home.port.historyDigest()); for (const a of Object.values<any>(agents)) await a.stop(); console.log('stopped') }, 16000)
