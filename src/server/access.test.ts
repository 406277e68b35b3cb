import { expect, test } from 'vitest';
import { assertHost, assertSafe, isLoopback, KeyCheck } from './access.ts';

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('%s is reached by this machine alone', (host) => {
  expect(isLoopback(host)).toBe(true);
  expect(() => assertSafe(host, null)).not.toThrow();
});

test.each(['0.0.0.0', '::', '192.168.1.2', '127.evil.com', 'localhost.evil.com', '1270.0.0.1'])(
  '%s wants a key',
  (host) => {
    expect(isLoopback(host)).toBe(false);
    expect(() => assertSafe(host, null)).toThrow('can be reached from other machines, and no API key is set');
    expect(() => assertSafe(host, 'sk-secret')).not.toThrow();
  },
);

test('keys that no header can hold', () => {
  for (const key of ['', 'a b', 'schlüssel', 'a\n'])
    expect(() => assertSafe('127.0.0.1', key), key).toThrow('the API key');
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

test('a key, as a bearer token', () => {
  const check = new KeyCheck('sk-secret');
  expect(() => check.assert('Bearer sk-secret')).not.toThrow();
  expect(() => check.assert('bearer sk-secret')).not.toThrow();
  for (const header of ['Bearer sk-secre', 'Bearer sk-secrets', 'Basic sk-secret', 'sk-secret', 'Bearer  '])
    expect(() => check.assert(header), header).toThrow(/API key/);
  expect(() => check.assert(undefined)).toThrow('No API key was given');
  expect(() => new KeyCheck(null).assert(undefined)).not.toThrow();
});
