/** Texts of others that cannot steer a terminal. Pure. */

/** A control character's picture. */
export const picture = (char: string): string => {
  const code = char.charCodeAt(0);
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd';
};

/** Control characters as their pictures, so that data cannot steer a terminal: but for line ends and tabs, and of those that order text only the ones that override. */
export const harmless = (text: string): string =>
  text.replace(/(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, picture);
