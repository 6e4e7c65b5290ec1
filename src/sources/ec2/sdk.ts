/**
 * What this room takes from the AWS SDK. The build puts in the place of this file what of the SDK's packages it really
 * needs (`scripts/bundle-sdk.mjs`): of EC2's five hundred operations, two.
 */
export { CloudWatchClient, paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
export { DescribeInstanceStatusCommand, EC2Client, paginateDescribeInstances } from '@aws-sdk/client-ec2';
