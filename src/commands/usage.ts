import { OPTIONS } from './arguments.js';
import { COMMANDS } from './commands.js';

interface Line {
  readonly left: string;
  readonly right: string;
}

const EXAMPLES: readonly Line[] = [
  { left: 'dynamo-csv orders sensors', right: 'publishes these tables' },
  { left: 'dynamo-csv --all', right: 'publishes every table of the region, also those that come later' },
  { left: "dynamo-csv 'prod-*'", right: 'publishes the tables with such names' },
  { left: 'dynamo-csv --config my.yaml', right: 'publishes what the file says' },
  ...COMMANDS.map(({ name, summary }) => ({ left: `dynamo-csv ${name}`, right: summary })),
];

/** What `dynamo-csv --help` prints. */
export function usage(): string {
  return `Publishes DynamoDB tables as CSV over HTTP, for Grafana and everything else that reads CSV.

${inColumns(EXAMPLES)}

Options:

${inColumns(options())}

A table with the name of a command goes behind --, as in: dynamo-csv -- demo
Credentials and region are found as by the AWS CLI. Environment variables (HOST, API_TOKEN, LOG_LEVEL …) and the options
of the configuration file: docs/configuration.md
`;
}

function options(): Line[] {
  return Object.entries(OPTIONS).map(([name, option]) => {
    const short = 'short' in option ? `-${option.short}, ` : '    ';
    const value = 'value' in option ? ` ${option.value}` : '';
    return { left: `${short}--${name}${value}`, right: option.summary };
  });
}

function inColumns(lines: readonly Line[]): string {
  const width = Math.max(...lines.map(({ left }) => left.length));
  return lines.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
