/** Numbers as the page shows them. Pure. Figures may be absent, and a log may have been edited: what is no number is a dash. */
import type { Text } from './say.ts';

export const dash = '–';
type Figure = number | null | undefined;

const known = (value: Figure): value is number => typeof value === 'number' && Number.isFinite(value);

/** With so many digits after the point. */
export const fixed = (value: Figure, digits: number): string => (known(value) ? value.toFixed(digits) : dash);

/** A share of 1, in hundredths. */
export const percent = (share: Figure, digits = 1): string =>
  known(share) ? `${(100 * share).toFixed(digits)}%` : dash;

/** A difference of shares, with its sign. */
export const points = (difference: Figure): string =>
  known(difference)
    ? `${difference > 0 ? '+' : difference < 0 ? '−' : ''}${Math.abs(100 * difference).toFixed(1)}`
    : dash;

/** Counts, in groups of three digits. */
export const count = (value: Figure): string => (known(value) ? value.toLocaleString('en-US') : dash);

/** As many digits as tell values of a chart or a table apart. */
export const short = (value: Figure): string => (known(value) ? String(Number(value.toPrecision(4))) : dash);

/** Sizes in powers of ten. */
export function bytes(value: Figure): string {
  if (!known(value)) return dash;
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} GB`;
  return value >= 1e6 ? `${(value / 1e6).toFixed(0)} MB` : `${Math.ceil(value / 1e3)} kB`;
}

/** Durations with two units at most. */
export function duration(seconds: Figure): Text {
  if (!known(seconds)) return { en: dash, zh: dash };
  if (seconds < 10) return { en: `${seconds.toFixed(1)} s`, zh: `${seconds.toFixed(1)} 秒` };
  const whole = Math.round(seconds);
  if (whole < 60) return { en: `${whole} s`, zh: `${whole} 秒` };
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  if (minutes < 60) return { en: `${minutes} min ${rest} s`, zh: `${minutes} 分 ${rest} 秒` };
  const hours = Math.floor(minutes / 60);
  return { en: `${hours} h ${minutes % 60} min`, zh: `${hours} 小时 ${minutes % 60} 分` };
}

/** Energy of a run: most are far below a kilowatt-hour. */
export const energy = (kilowattHours: Figure): string => {
  if (!known(kilowattHours)) return dash;
  return kilowattHours < 1
    ? `${short(Number((1000 * kilowattHours).toPrecision(3)))} Wh`
    : `${kilowattHours.toFixed(2)} kWh`;
};

/** Money of whatever currency; cents are not enough for small runs. */
export const money = (value: Figure): string => (known(value) ? value.toFixed(value < 1 ? 4 : 2) : dash);

/** A p-value as papers write it. */
export const pValue = (p: Figure): string => (!known(p) ? dash : p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`);
