/**
 * What this room takes from the AWS SDK. The build puts in the place of this file what of the SDK's packages it really
 * needs (`scripts/bundle-sdk.mjs`).
 */
export {
  BatchGetItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  errorTypeRegistries,
  ListTablesCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
export { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
export { DynamoDBJsonCodec2 } from '@aws-sdk/dynamodb-codec';
