/**
 * Writes `biome.rooms.json`: the linter's rules for which folder of `src` may import which, from the one table of them,
 * `src/rooms.json`. Part of `npm run generate`; test/rooms.slow.test.ts holds the two together and tries every pair.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const rooms = JSON.parse(readFileSync(join(root, 'src', 'rooms.json'), 'utf8'));

/** The files and folders above the rooms, which no room may import. */
const ABOVE = [
  '{..,../..,../../..}/{app,bin,check,programs,serve,server}.js',
  '**/commands/**',
  '**/service/**',
];

const override = ([room, allowed]) => {
  // A kind of source is imported by its own folder's name: `../ec2/source.js`, `./sources/ec2/source.js`.
  const isOpen = (other) => other === room || allowed.includes(other) || other.startsWith(`${room}/`);
  const closed = Object.keys(rooms).filter((other) => !isOpen(other) && !room.startsWith(`${other}/`));
  const names = [...new Set(closed.map((other) => basename(other)))];
  const what = allowed.length === 0 ? 'no other room' : `only ${allowed.join(', ')}`;
  return {
    includes: [`src/${room}/**`],
    linter: {
      rules: {
        style: {
          noRestrictedImports: {
            level: 'error',
            options: {
              patterns: [
                {
                  group: [`**/{${names.join(',')}}/**`, ...ABOVE],
                  message: `src/${room} may import ${what}: see docs/architecture.md.`,
                },
              ],
            },
          },
        },
      },
    },
  };
};

const rules = { overrides: Object.entries(rooms).map(override) };
writeFileSync(join(root, 'biome.rooms.json'), `${JSON.stringify(rules, null, 2)}\n`);
