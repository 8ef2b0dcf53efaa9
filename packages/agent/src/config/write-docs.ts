/** Writes `docs/config.md` anew. Run it after a change of the schema. */
import { writeFile } from 'node:fs/promises'
import { configPage } from './docs.ts'

await writeFile(new URL('../../../../docs/config.md', import.meta.url), configPage())
