import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { projectRoot } from '../../../src/base/project.js';
import { startAwsStandIn } from '../../../src/demo/aws-stand-in.js';
import { useLocalAws } from '../../../src/demo/local-aws.js';
import { createInstancesSource } from '../../../src/sources/ec2/source.js';
import { instance, TestClock, TestWorld } from './world.js';

const ID = 'i-0123456789abcdef0';

interface Policy {
  readonly Statement: readonly { readonly Action: readonly string[] }[];
}

describe('docs/iam.md', () => {
  const text = readFileSync(join(projectRoot, 'docs/iam.md'), 'utf8');
  const policy = JSON.parse(/```json\n([\s\S]*?)```/.exec(text)![1]!) as Policy;
  const allowed = policy.Statement.flatMap(({ Action }) => Action);

  it('allows exactly the EC2 and CloudWatch actions that a poll calls', async () => {
    const clock = new TestClock();
    const standIn = await startAwsStandIn({ world: new TestWorld({ 'us-east-1': [instance(ID)] }), clock });
    const environment = { ...process.env };
    useLocalAws({ AWS_ENDPOINT_URL_EC2: standIn.endpoint, AWS_ENDPOINT_URL_CLOUDWATCH: standIn.endpoint });
    const source = createInstancesSource({ ids: [ID], tags: { Role: ['*'] }, regions: [], clock });
    await source.read({ known: [], signal: new AbortController().signal });
    await source.close();
    await standIn.close();
    process.env = environment;
    const called = standIn.calls.map((call) => call.split(' ')[1]!);
    assert.deepEqual(
      [...new Set(called)].sort(),
      allowed.filter((action) => !action.startsWith('dynamodb:')).sort(),
    );
  });

  it('says of each action what breaks without it', () => {
    for (const action of allowed) assert.match(text, new RegExp(`^\\| \`${action}\` \\|`, 'm'));
  });
});
