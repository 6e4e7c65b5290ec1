import {
  type Answer,
  type AwsFailure,
  type Call,
  page,
  type StandInInstance,
  unknownAction,
} from './aws-world.js';

/*
 * The part of EC2's query protocol that two actions need: form parameters in (`Filter.1.Value.2`), XML out.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html and …API_DescribeInstanceStatus.html
 */

const STATE_CODES: Readonly<Record<string, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

/** `body`: the form. */
export function answerEc2(body: string, call: Call, failure: AwsFailure | null): Answer {
  const form = new URLSearchParams(body);
  const answer = failure ?? answerAction(form, call);
  const isFailure = typeof answer !== 'string';
  return {
    status: isFailure ? answer.status : 200,
    contentType: 'text/xml;charset=UTF-8',
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${isFailure ? errorXml(answer) : answer}`,
  };
}

function answerAction(form: URLSearchParams, call: Call): string | AwsFailure {
  switch (call.action) {
    case 'ec2:DescribeInstances':
      return describeInstances(form, call);
    case 'ec2:DescribeInstanceStatus':
      return describeInstanceStatus(form, call);
    default:
      return unknownAction(call);
  }
}

function describeInstances(form: URLSearchParams, call: Call): string {
  const found = selected(form, call.world.instances(call.region, call.now));
  const { items, next } = page(found, form.get('NextToken'), pageSize(form, call));
  const reservations = items.map(
    (instance) =>
      `<item><reservationId>r-${xmlText(instance.id.slice(2))}</reservationId><ownerId>123456789012</ownerId>` +
      `<groupSet/><instancesSet><item>${instanceXml(instance)}</item></instancesSet></item>`,
  );
  return response('DescribeInstances', `<reservationSet>${reservations.join('')}</reservationSet>`, next);
}

/** Like EC2, only running instances, unless the request includes all (the service's does not). */
function describeInstanceStatus(form: URLSearchParams, call: Call): string | AwsFailure {
  const ids = values(form, 'InstanceId');
  const all = call.world.instances(call.region, call.now);
  const unknown = ids.find((id) => !all.some((instance) => instance.id === id));
  if (unknown !== undefined) {
    const message = `The instance ID '${unknown}' does not exist`;
    return { status: 400, code: 'InvalidInstanceID.NotFound', message };
  }
  const found = all.filter(({ id, state }) => state === 'running' && (ids.length === 0 || ids.includes(id)));
  const { items, next } = page(found, form.get('NextToken'), pageSize(form, call));
  const statuses = items.map(
    ({ id, state, checks }) =>
      `<item><instanceId>${xmlText(id)}</instanceId>${stateXml(state)}` +
      `<systemStatus><status>${checks?.system ?? 'not-applicable'}</status></systemStatus>` +
      `<instanceStatus><status>${checks?.instance ?? 'not-applicable'}</status></instanceStatus></item>`,
  );
  return response(
    'DescribeInstanceStatus',
    `<instanceStatusSet>${statuses.join('')}</instanceStatusSet>`,
    next,
  );
}

function errorXml({ code, message }: AwsFailure): string {
  return (
    `<Response><Errors><Error><Code>${xmlText(code)}</Code><Message>${xmlText(message)}</Message></Error></Errors>` +
    '<RequestID>stand-in</RequestID></Response>'
  );
}

function response(action: string, content: string, next: string | null): string {
  return (
    `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">` +
    `<requestId>stand-in</requestId>${content}${next === null ? '' : `<nextToken>${next}</nextToken>`}</${action}Response>`
  );
}

function instanceXml({ id, tags, state, monitoring }: StandInInstance): string {
  const tagSet = Object.entries(tags).map(
    ([key, value]) => `<item><key>${xmlText(key)}</key><value>${xmlText(value)}</value></item>`,
  );
  return (
    `<instanceId>${xmlText(id)}</instanceId>${stateXml(state)}<instanceType>c7g.large</instanceType>` +
    `<monitoring><state>${monitoring}</state></monitoring><tagSet>${tagSet.join('')}</tagSet>`
  );
}

function stateXml(state: string): string {
  return `<instanceState><code>${STATE_CODES[state] ?? 0}</code><name>${xmlText(state)}</name></instanceState>`;
}

/** The instances that match every filter; `*` in a value matches any text. */
function selected(form: URLSearchParams, instances: readonly StandInInstance[]): StandInInstance[] {
  let left = [...instances];
  for (let n = 1; form.has(`Filter.${n}.Name`); n += 1) {
    const name = form.get(`Filter.${n}.Name`) ?? '';
    const patterns = values(form, `Filter.${n}.Value`).map(pattern);
    left = left.filter((instance) => {
      const value = name === 'instance-id' ? instance.id : instance.tags[name.replace(/^tag:/, '')];
      return value !== undefined && patterns.some((expected) => expected.test(value));
    });
  }
  return left;
}

function pattern(text: string): RegExp {
  const escaped = text.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
}

function values(form: URLSearchParams, prefix: string): string[] {
  const found: string[] = [];
  for (let n = 1; form.has(`${prefix}.${n}`); n += 1) found.push(form.get(`${prefix}.${n}`) ?? '');
  return found;
}

function pageSize(form: URLSearchParams, call: Call): number {
  return Math.min(Number(form.get('MaxResults') ?? call.pageSize), call.pageSize);
}

function xmlText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
