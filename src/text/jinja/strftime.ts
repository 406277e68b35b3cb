/** Python's strftime in the C locale, in this machine's time zone. Pure but for the zone. */

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = 'January February March April May June July August September October November December'.split(' ');
const two = (value: number, fill = '0'): string => String(value).padStart(2, fill);
const day = 24 * 60 * 60 * 1000;

const dayOfYear = (at: Date): number =>
  Math.round((Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) - Date.UTC(at.getFullYear(), 0, 1)) / day) + 1;

/** The year and week of ISO 8601: the week of the nearest Thursday. */
function isoWeek(at: Date): { year: number; week: number } {
  const thursday = new Date(at.getFullYear(), at.getMonth(), at.getDate() + 4 - (at.getDay() || 7));
  return { year: thursday.getFullYear(), week: Math.ceil(dayOfYear(thursday) / 7) };
}

const hour12 = (at: Date): number => at.getHours() % 12 || 12;

const codes: Readonly<Record<string, (at: Date) => string>> = {
  a: (at) => days[at.getDay()]!.slice(0, 3),
  A: (at) => days[at.getDay()]!,
  b: (at) => months[at.getMonth()]!.slice(0, 3),
  B: (at) => months[at.getMonth()]!,
  c: (at) => strftime('%a %b %e %H:%M:%S %Y', at),
  C: (at) => two(Math.floor(at.getFullYear() / 100)),
  d: (at) => two(at.getDate()),
  D: (at) => strftime('%m/%d/%y', at),
  e: (at) => two(at.getDate(), ' '),
  f: (at) => String(at.getMilliseconds() * 1000).padStart(6, '0'),
  F: (at) => strftime('%Y-%m-%d', at),
  G: (at) => String(isoWeek(at).year),
  h: (at) => strftime('%b', at),
  H: (at) => two(at.getHours()),
  I: (at) => two(hour12(at)),
  j: (at) => String(dayOfYear(at)).padStart(3, '0'),
  k: (at) => two(at.getHours(), ' '),
  l: (at) => two(hour12(at), ' '),
  m: (at) => two(at.getMonth() + 1),
  M: (at) => two(at.getMinutes()),
  n: () => '\n',
  p: (at) => (at.getHours() < 12 ? 'AM' : 'PM'),
  P: (at) => (at.getHours() < 12 ? 'am' : 'pm'),
  r: (at) => strftime('%I:%M:%S %p', at),
  R: (at) => strftime('%H:%M', at),
  s: (at) => String(Math.floor(at.getTime() / 1000)),
  S: (at) => two(at.getSeconds()),
  t: () => '\t',
  T: (at) => strftime('%H:%M:%S', at),
  u: (at) => String(at.getDay() || 7),
  U: (at) => two(Math.floor((dayOfYear(at) + 6 - at.getDay()) / 7)),
  V: (at) => two(isoWeek(at).week),
  w: (at) => String(at.getDay()),
  W: (at) => two(Math.floor((dayOfYear(at) + 6 - ((at.getDay() + 6) % 7)) / 7)),
  x: (at) => strftime('%m/%d/%y', at),
  X: (at) => strftime('%H:%M:%S', at),
  y: (at) => two(at.getFullYear() % 100),
  Y: (at) => String(at.getFullYear()),
  // datetime.now() knows no zone.
  z: () => '',
  Z: () => '',
  '%': () => '%',
};

/** glibc's flags: - leaves the filling out, _ fills with spaces, 0 with zeros, ^ is upper case. */
const flagged: Readonly<Record<string, (text: string) => string>> = {
  '-': (text) => text.replace(/^[0 ]+(?=.)/, ''),
  _: (text) => text.replace(/^0+(?=.)/, (zeros) => ' '.repeat(zeros.length)),
  '0': (text) => text.replace(/^ +/, (fill) => '0'.repeat(fill.length)),
  '^': (text) => text.toUpperCase(),
};

export const strftime = (format: string, at: Date): string =>
  format.replace(/%([-_0^])?([a-zA-Z%])/g, (whole, flag: string | undefined, letter: string) => {
    const text = codes[letter]?.(at) ?? whole;
    return flag === undefined ? text : flagged[flag]!(text);
  });
