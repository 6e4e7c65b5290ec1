import { parseArgs } from 'node:util';
import { demoArgumentUnknown } from '../base/errors.js';
import { INCIDENTS, type Incident } from './incidents.js';

const CHOICES = INCIDENTS.map((incident) => `--incident ${incident}`);

/** `--incident cpu`: what shall go wrong right away; null: nothing. Throws `DEMO_ARGUMENT_UNKNOWN` for anything else. */
export function readDemoArguments(args: readonly string[]): Incident | null {
  const { tokens } = parseArgs({
    args: [...args],
    options: { incident: { type: 'string' } },
    strict: false,
    tokens: true,
  });
  let wish: Incident | null = null;
  for (const token of tokens) {
    const isIncident = token.kind === 'option' && token.name === 'incident';
    const known = isIncident ? INCIDENTS.find((incident) => incident === token.value) : undefined;
    if (known === undefined) throw demoArgumentUnknown(args.join(' '), CHOICES);
    wish = known;
  }
  return wish;
}
