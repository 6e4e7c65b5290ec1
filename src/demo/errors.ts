import { DynamoCsvError } from '../base/errors.js';

/** The demo was told something it does not know. */
export function demoArgumentUnknown(argument: string, known: readonly string[]): DynamoCsvError {
  return new DynamoCsvError(
    'DEMO_ARGUMENT_UNKNOWN',
    `${JSON.stringify(argument)} is nothing that the demo knows`,
    { remedy: `write ${known.join(' or ')}`, status: 400 },
  );
}

/** `--incident` without the name of one. */
export function demoIncidentMissing(known: readonly string[]): DynamoCsvError {
  return new DynamoCsvError('DEMO_INCIDENT_MISSING', '--incident names no incident', {
    remedy: `write ${known.join(' or ')}`,
    status: 400,
  });
}

/** The demo writes made-up data: only where it has a folder to itself. */
export function demoFolderForeign(dataDir: string): DynamoCsvError {
  return new DynamoCsvError('DEMO_FOLDER_FOREIGN', `${dataDir} holds data that is not the demo's`, {
    remedy: 'set DATA_DIR to an empty or a new folder, or leave it out',
  });
}

/** The service that the demo started ended before it was ready; it said why itself. */
export function demoServiceEnded(how: string): DynamoCsvError {
  return new DynamoCsvError('DEMO_SERVICE_ENDED', `The service ended ${how}; what it said stands above`);
}
