/**
 * Makes a recording of a real mesh: three agents on this machine and a phone, one host is killed and comes back.
 *
 *     node test/recordings/record.ts NAME
 *
 * Kept is what the host recorded that told of it. Names are those of tests, all addresses are loopback, all keys are of
 * this one run.
 */
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listSegments } from '../../packages/agent/src/recorder/flight-disk.ts'
import { tellStory } from '../../packages/agent/src/recorder/story.ts'
import { createMesh } from '../e2e/mesh.ts'

const HOSTS = ['vps-1', 'laptop', 'home-server']
const FOLDER = fileURLToPath(new URL('.', import.meta.url))

const [name = 'killed-and-back'] = process.argv.slice(2)
const mesh = await createMesh(HOSTS)
try {
  const phone = await mesh.receiver('phone')
  await mesh.host('vps-1').end('SIGKILL')
  await phone.next('fired', 'vps-1')
  mesh.host('vps-1').start()
  await phone.next('resolved', 'vps-1')
  await mesh.ready()
  for (const host of ['laptop', 'home-server']) {
    await mesh.host(host).end('SIGTERM')
    const folder = join(mesh.host(host).dir, 'data', 'flight')
    const [segment] = await listSegments(folder)
    if (segment === undefined) throw new Error(`${host} has recorded nothing`)
    const lines = [...tellStory([{ name, bytes: await readFile(join(folder, segment.name)) }])]
    console.log(`${host}: ${segment.bytes} bytes, ${lines.length} lines`)
    if (!lines.some(({ text }) => text.startsWith('claim "fired"'))) continue
    await copyFile(join(folder, segment.name), join(FOLDER, `${name}.flight`))
    console.log(`kept that of ${host}`)
    break
  }
} finally {
  await mesh.end()
}
