import { describe } from 'vitest'
import { testSeeds } from './seeds.ts'

describe('the invariants', () => {
  testSeeds(1001, 500)
})
