import { expect, test } from 'vitest';
import { assertHost, assertSafe, type Doors, isLoopback } from './access.ts';

const safe = (host: string, more: Partial<Doors> = {}) =>
  assertSafe({ host, apiKey: null, hasKeys: false, openToEverybody: false, ...more });

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('%s is reached by this machine alone', (host) => {
  expect(isLoopback(host)).toBe(true);
  expect(() => safe(host)).not.toThrow();
});

test.each(['0.0.0.0', '::', '192.168.1.2', '127.evil.com', 'localhost.evil.com', '1270.0.0.1'])(
  '%s wants a key, or a word of it',
  (host) => {
    expect(isLoopback(host)).toBe(false);
    expect(() => safe(host)).toThrow('can be reached from other machines, and there is no API key');
    for (const more of [{ apiKey: 'sk-secret' }, { hasKeys: true }, { openToEverybody: true }])
      expect(() => safe(host, more)).not.toThrow();
  },
);

test('keys that no header can hold', () => {
  for (const key of ['', 'a b', 'schlüssel', 'a\n'])
    expect(() => safe('127.0.0.1', { apiKey: key }), key).toThrow('the API key');
});

test.each(['localhost', 'LocalHost:8080', '127.0.0.1', '127.0.0.1:1', '[::1]:8080', '[::1]'])('Host: %s', (header) => {
  expect(() => assertHost('127.0.0.1', header)).not.toThrow();
});

test.each([
  undefined,
  '',
  'evil.com',
  'evil.com:8080',
  '127.0.0.1.evil.com',
  'localhost@evil.com',
  '[::2]',
  'localhost:x',
  '::1',
])('Host: %s is refused on this machine, and none of the server of others', (header) => {
  expect(() => assertHost('127.0.0.1', header)).toThrow('This server is for its own machine');
  expect(() => assertHost('0.0.0.0', header)).not.toThrow();
});
