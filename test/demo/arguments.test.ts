import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DynamoCsvError } from '../../src/base/errors.js';
import { readDemoArguments } from '../../src/demo/arguments.js';

describe('the demo’s command line', () => {
  it('names an incident, in either way of writing, or nothing', () => {
    assert.equal(readDemoArguments([]), null);
    assert.equal(readDemoArguments(['--incident', 'cpu']), 'cpu');
    assert.equal(readDemoArguments(['--incident=unassigned']), 'unassigned');
  });

  for (const args of [['--incident', 'fire'], ['--incidents', 'cpu'], ['cpu'], ['-x']]) {
    it(`refuses ${args.join(' ')} in one line that names the choices`, () => {
      assert.throws(
        () => readDemoArguments(args),
        (error) => {
          assert.ok(error instanceof DynamoCsvError);
          assert.equal(
            error.line,
            `Unknown option "${args.join(' ')}"; use --incident cpu or --incident network or --incident down or --incident unassigned`,
          );
          return true;
        },
      );
    });
  }

  for (const args of [['--incident'], ['--incident=']]) {
    it(`says which names there are behind ${args[0]}`, () => {
      assert.throws(
        () => readDemoArguments(args),
        ({ line }: DynamoCsvError) =>
          line ===
          '--incident needs a value; use --incident cpu or --incident network or --incident down or --incident unassigned',
      );
    });
  }
});
