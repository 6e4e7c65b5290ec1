/** The least that a service like this one starts with: Fastify, a DynamoDB client, and a port. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { fastify } from 'fastify';

const http = fastify();
new DynamoDBClient({});
http.get('/readyz', () => ({ ready: true }));
const url = await http.listen({ port: 0, host: '127.0.0.1' });
process.send!({ url });
