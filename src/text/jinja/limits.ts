/** Bounds that keep a template from hanging or filling the memory; each is far above what chat templates need. */

/** As the sandbox of jinja2 has it (MAX_RANGE). */
export const maxRange = 100_000;
/** UTF-16 units of one text; V8 ends at 2^29, and a rendered conversation has a few million at most. */
export const maxText = 2 ** 27;
/** Elements of a list made by repeating. */
export const maxList = 10_000_000;
/** Bits of an integer made by a power or a product; printing is quadratic. */
export const maxIntegerBits = 100_000;
/** Digits of an integer as text, as Python has it. */
export const maxIntegerDigits = 4300;
/** Steps of all loops and calls of macros in one rendering: some seconds. */
export const maxTemplateSteps = 20_000_000;
/** Macros, callers and recursive loops inside one another; Python ends near here too (1,000 frames, some per call). */
export const maxCallDepth = 150;
/** Digits that a width or a precision of a format may ask for; they are reckoned exactly, and a million take seconds. */
export const maxFormatDigits = 10_000;
