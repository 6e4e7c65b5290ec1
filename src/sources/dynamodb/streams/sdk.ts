/**
 * What following a stream takes from the AWS SDK. The build puts in the place of this file what of the package it really
 * needs (`scripts/bundle-sdk.mjs`). It is loaded with the first table that has a stream.
 */
export {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  errorTypeRegistries,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
