/** `muster simulate`: the protocol core in a deterministic, faulty world. */
import { EXIT } from '../cli-error.ts'
import { wholeNumber } from '../options.ts'
import type { Context } from '../surroundings.ts'
