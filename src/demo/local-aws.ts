/**
 * The environment in which the SDK's own default chains find the demo and nothing else: made-up credentials, no
 * profile, no instance metadata, and neither `~/.aws/config` nor `~/.aws/credentials` are opened.
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

/** Variables of the user's shell that would lead the SDK elsewhere. */
const MISLEADING = [
  'AWS_PROFILE',
  'AWS_SESSION_TOKEN',
  'AWS_DEFAULT_REGION',
  'AWS_ENDPOINT_URL',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
];

/** SerialQueue this process to the demo's endpoints. */
export function useLocalAws(endpoints: { readonly [variable: `AWS_ENDPOINT_URL_${string}`]: string }): void {
  for (const name of MISLEADING) delete process.env[name];
  Object.assign(process.env, LOCAL_AWS_ENVIRONMENT, endpoints);
}
