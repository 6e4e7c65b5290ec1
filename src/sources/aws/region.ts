import { Type } from 'typebox';
import { closest } from '../../base/closest.js';
import type { Kind } from '../../options/kinds.js';
import { type Words, words } from '../../options/schema.js';

/** Only to guess from; any region of that form is accepted, so that new ones work. */
const REGIONS = [
  'af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1',
  'ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7 ca-central-1 ca-west-1 cn-north-1',
  'cn-northwest-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1',
  'me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-gov-east-1 us-gov-west-1 us-west-1 us-west-2',
].flatMap((line) => line.split(' '));

const region: Kind = {
  what: 'an AWS region',
  write: 'one such as us-east-1',
  guess(value) {
    const zone = /^([a-z]+(?:-[a-z]+)+-\d)[a-f]$/.exec(String(value));
    return (
      zone?.[1] ??
      closest(
        String(value)
          .toLowerCase()
          .replace(/[_\s]+/g, '-'),
        REGIONS,
      ) ??
      null
    );
  },
};

/** An option that names an AWS region. */
export const Region = (options: Words) =>
  Type.String({ ...words(options), pattern: '^[a-z]{2,5}(-[a-z]+){1,2}-[0-9]{1,2}$', kind: region });
