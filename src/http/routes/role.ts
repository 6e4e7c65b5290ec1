import type { HttpOptions } from '../options.js';

/** The role as `/healthz` and `/datasets` show it. */
export function roleJson(role: HttpOptions['role']) {
  const { role: name, behind } = role?.() ?? { role: 'collect' as const, behind: 0 };
  return { role: name, behind: behind === null ? null : behind / 1_000 };
}
