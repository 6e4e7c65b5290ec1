import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { cutIntoParts, packed, partOf, unpacked } from '../../src/archive/parts.js';

async function* inChunks(bytes: Buffer, size: number): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function hashes(bytes: Buffer, chunk = 1 << 20): Promise<string[]> {
  const found: string[] = [];
  for await (const part of cutIntoParts(inChunks(bytes, chunk))) found.push(partOf(part).hash);
  return found;
}

test('the parts of a file are its bytes, however it is read', async () => {
  const bytes = randomBytes(12_345_678);
  const parts: Buffer[] = [];
  for await (const part of cutIntoParts(inChunks(bytes, 777_777))) parts.push(part);
  assert.ok(Buffer.concat(parts).equals(bytes));
  assert.deepEqual(await hashes(bytes, 1_000), await hashes(bytes, 5 << 20));
  assert.deepEqual(await hashes(Buffer.alloc(0)), []);
});

test('after an insertion most parts are those of before', async () => {
  const before = randomBytes(30 << 20);
  const after = Buffer.concat([
    before.subarray(0, 9_000_000),
    Buffer.from('new'),
    before.subarray(9_000_000),
  ]);
  const known = new Set(await hashes(before));
  const parts = await hashes(after);
  const fresh = parts.filter((hash) => !known.has(hash));
  assert.ok(known.size > 10);
  assert.equal(fresh.length, 1);
});

test('bytes without any structure end at eight megabytes', async () => {
  assert.equal((await hashes(Buffer.alloc(20 << 20))).length, 3);
});

test('an object with other bytes than its hash says is damaged', async () => {
  const bytes = Buffer.from('a,b\n1,2\n');
  const { hash } = partOf(bytes);
  assert.ok((await unpacked(await packed(bytes), hash, 's3://b/x')).equals(bytes));
  const damaged = { code: 'ARCHIVE_DAMAGED', message: /s3:\/\/b\/x is damaged/ };
  await assert.rejects(unpacked(await packed(Buffer.from('a,b\n1,3\n')), hash, 's3://b/x'), damaged);
  await assert.rejects(unpacked(Buffer.from('no gzip'), hash, 's3://b/x'), damaged);
});
