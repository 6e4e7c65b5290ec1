import type { HttpOptions, RoleStatus } from '../options.js';

const COLLECTS: RoleStatus = { configured: 'collect', role: 'collect', behind: 0 };

/** The role as `/healthz` and `/datasets` show it. */
export function roleJson(role: HttpOptions['role']) {
  const { configured, role: name, behind } = role?.() ?? COLLECTS;
  return { role: name, configuredRole: configured, behind: behind === null ? null : behind / 1_000 };
}
