/**
 * What this room takes from the AWS SDK. The build puts in the place of this file what of the SDK's packages it really
 * needs (`scripts/bundle-sdk.mjs`): of S3's hundred operations, four.
 */
export {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
