/** The order of test files: those that only compute are spread among those that mostly wait, so that no core is idle at the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Puts the files of seeds at even distances into vitest's own order, which has small files last: all of these. */
export class SpreadSeeds extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const seeds = sorted.filter(({ moduleId }) => moduleId.includes('/scenarios/seeds-'))
    const others = sorted.filter((file) => !seeds.includes(file))
    const pace = others.length / Math.max(1, seeds.length)
    return seeds
      .flatMap((file, index) => [file, ...others.slice(Math.floor(index * pace), Math.floor((index + 1) * pace))])
      .concat(seeds.length === 0 ? others : [])
  }
}
