/**
 * The environment in which the SDK's default chains find the demo and nothing else: fake credentials, no profile, no
 * instance metadata; `~/.aws/config` and `~/.aws/credentials` are not opened.
 */
export const LOCAL_AWS_ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: 'demo',
  AWS_SECRET_ACCESS_KEY: 'demo',
  AWS_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
} as const;

/** Variables from the user's shell that would point the SDK elsewhere. */
const MISLEADING = [
  'AWS_PROFILE',
  'AWS_SESSION_TOKEN',
  'AWS_DEFAULT_REGION',
  'AWS_ENDPOINT_URL',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
];

/** Points this process at the demo's endpoints. */
export function useLocalAws(endpoints: { readonly [variable: `AWS_ENDPOINT_URL_${string}`]: string }): void {
  for (const name of MISLEADING) delete process.env[name];
  Object.assign(process.env, LOCAL_AWS_ENVIRONMENT, endpoints);
}
