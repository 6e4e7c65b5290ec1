import { parseArgs } from 'node:util';
import { demoArgumentUnknown, demoIncidentMissing } from './errors.js';
import { INCIDENTS, type Incident } from './incidents.js';

const CHOICES = INCIDENTS.map((incident) => `--incident ${incident}`);

/** What `--help` prints. `command`: how the demo was started, ready for an option behind it. */
export function demoUsage(command: string): string {
  const lines = [
    [command.replace(/ --$/, ''), 'starts everything'],
    [`${command} --incident <name>`, `starts with an incident: ${INCIDENTS.join(', ')}`],
    [`${command} --help`, 'prints this'],
  ] as const;
  const width = Math.max(...lines.map(([left]) => left.length));
  return `Runs a simulated taxi fleet with thirty days of history, a local DynamoDB with streams, and the service that reads it.

${lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')}

PORT sets the port, DATA_DIR the data folder, which stays when the demo ends.
`;
}

/** `--incident cpu`: the incident to start with; null: none. Throws `DEMO_INCIDENT_MISSING` without a name, `DEMO_ARGUMENT_UNKNOWN` for anything else. */
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
