import { DynamoCsvError } from '../base/errors.js';

/** An unknown argument. */
export function demoArgumentUnknown(argument: string, known: readonly string[]): DynamoCsvError {
  return new DynamoCsvError('DEMO_ARGUMENT_UNKNOWN', `Unknown option ${JSON.stringify(argument)}`, {
    remedy: `use ${known.join(' or ')}`,
    status: 400,
  });
}

/** `--incident` without a value. */
export function demoIncidentMissing(known: readonly string[]): DynamoCsvError {
  return new DynamoCsvError('DEMO_INCIDENT_MISSING', '--incident needs a value', {
    remedy: `use ${known.join(' or ')}`,
    status: 400,
  });
}

/** The demo writes simulated data, and only to a folder of its own. */
export function demoFolderForeign(dataDir: string): DynamoCsvError {
  return new DynamoCsvError('DEMO_FOLDER_FOREIGN', `${dataDir} holds data that the demo did not write`, {
    remedy: 'set DATA_DIR to an empty or new folder, or unset it',
  });
}

/** The demo's service ended; its own output says why. */
export function demoServiceEnded(how: string): DynamoCsvError {
  return new DynamoCsvError('DEMO_SERVICE_ENDED', `The service ended ${how}; see its output above`);
}
