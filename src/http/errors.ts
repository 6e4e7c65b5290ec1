import { DynamoCsvError } from '../base/errors.js';

/** Nothing answers at that path. */
export function routeUnknown(path: string): DynamoCsvError {
  return new DynamoCsvError('ROUTE_UNKNOWN', `there is nothing at ${shortened(path)}`, {
    remedy: 'see /datasets for the datasets and /docs for everything else',
    status: 404,
  });
}

/** Something answers at that path, but not to this method. */
export function methodNotAllowed(method: string, path: string, allowed: readonly string[]): DynamoCsvError {
  return new DynamoCsvError('METHOD_NOT_ALLOWED', `${shortened(path)} does not take ${method}`, {
    remedy: `use ${allowed.join(' or ')}`,
    status: 405,
  });
}

/** `length` and `limit` in characters. */
export function urlTooLong(length: number, limit: number): DynamoCsvError {
  return new DynamoCsvError('URL_TOO_LONG', `this URL has ${length} characters, of ${limit} at most`, {
    remedy: 'ask with fewer values; SQL can be sent by POST /sql',
    status: 414,
  });
}

/** A URL that cannot be decoded. */
export function badUrl(): DynamoCsvError {
  return new DynamoCsvError('BAD_URL', 'this URL is not percent-encoded as UTF-8', {
    remedy: 'write a percent sign as %25',
    status: 400,
  });
}

/** A request that HTTP itself, or the framework, refuses; `what` in its words. */
export function requestRefused(status: number, what: string): DynamoCsvError {
  return new DynamoCsvError('REQUEST_REFUSED', what, { status });
}

export function tokenMissing(): DynamoCsvError {
  return new DynamoCsvError('TOKEN_MISSING', 'this needs the token of the service', {
    remedy: 'send the header Authorization: Bearer with the value of API_TOKEN',
    status: 401,
  });
}

export function tokenWrong(): DynamoCsvError {
  return new DynamoCsvError('TOKEN_WRONG', 'this is not the token of the service', {
    remedy: 'send the header Authorization: Bearer with the value of API_TOKEN',
    status: 401,
  });
}

export function overloaded(): DynamoCsvError {
  return new DynamoCsvError('OVERLOADED', 'the service has more to do than it can', {
    remedy: 'ask again in a few seconds',
    status: 503,
  });
}

/**
 * `name`: the host name of the request. 421, since the request was meant for another server than this one.
 * https://www.rfc-editor.org/rfc/rfc9110#status.421
 */
export function hostNotAllowed(name: string): DynamoCsvError {
  return new DynamoCsvError('HOST_NOT_ALLOWED', `this service is not known as ${shortened(name)}`, {
    remedy: 'if that is its name, add it to ALLOWED_HOSTS; or set API_TOKEN',
    status: 421,
  });
}

/** A page of another origin sent SQL. */
export function sqlFromForeignPage(): DynamoCsvError {
  return new DynamoCsvError('SQL_FROM_FOREIGN_PAGE', 'pages of other origins may not send SQL', {
    remedy: "use the service's own page, or add the origin to CORS_ORIGIN",
    status: 403,
  });
}

export function sqlNotAllowed(): DynamoCsvError {
  return new DynamoCsvError('SQL_NOT_ALLOWED', 'this service does not answer SQL', {
    remedy: 'set ALLOW_SQL=true to open it',
    status: 404,
  });
}

export function sqlMissing(): DynamoCsvError {
  return new DynamoCsvError('SQL_MISSING', 'no SQL was sent', {
    remedy: 'write /csv?sql=SELECT…, or POST /sql with the SELECT as text/plain',
    status: 400,
  });
}

/** What went wrong is in the log only, under that id. */
export function internalError(requestId: string): DynamoCsvError {
  return new DynamoCsvError('INTERNAL_ERROR', `something went wrong in this service (${requestId})`, {
    remedy: 'its log says what',
  });
}

/** Long enough to recognise what was asked for. */
function shortened(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}
