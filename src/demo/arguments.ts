import { parseArgs } from 'node:util';
import { demoArgumentUnknown, demoIncidentMissing } from './errors.js';
import { INCIDENTS, type Incident } from './incidents.js';

const CHOICES = INCIDENTS.map((incident) => `--incident ${incident}`);

/** What `--help` prints: the commands, and what the demo takes from the environment. */
export const DEMO_USAGE = `A simulated taxi fleet with thirty days of past, a DynamoDB and the service that watches it, on this machine.

  npm run demo                        starts all of it
  npm run demo -- --incident <name>   lets something go wrong right away: ${INCIDENTS.join(', ')}
  npm run demo -- --help              prints this

PORT is where it answers, DATA_DIR the folder that it leaves behind.
`;

/** `--incident cpu`: what shall go wrong right away; null: nothing. Throws `DEMO_INCIDENT_MISSING` without a name, `DEMO_ARGUMENT_UNKNOWN` for anything else. */
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
    if (isIncident && !token.value) throw demoIncidentMissing(CHOICES);
    const known = isIncident ? INCIDENTS.find((incident) => incident === token.value) : undefined;
    if (known === undefined) throw demoArgumentUnknown(args.join(' '), CHOICES);
    wish = known;
  }
  return wish;
}
