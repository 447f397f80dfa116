import { expect, test } from 'vitest';
import { suggest } from '../src/suggest.ts';

test('a name with a letter wrong, missing or too many finds the one that was meant', () => {
  const known = ['peer-port', 'port', 'host'];
  expect(['peer-prot', 'pert', 'hosst'].map((name) => suggest(name, known))).toEqual(['peer-port', 'port', 'host']);
});

test('a name like no other gets no suggestion', () => {
  expect(suggest('colour', ['peer-port', 'port'])).toBeUndefined();
});
