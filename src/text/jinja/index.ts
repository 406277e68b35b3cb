/** The Jinja engine: templates rendered as Python's jinja2 renders them, and where each character came from. */
export { TemplateConstructError, TemplateFailed, TemplateRaised } from './errors.ts';
export type { Origin, Span } from './marked-text.ts';
export type { PrefixRendering } from './prefixes.ts';
export { JinjaTemplate, type PrefixRenderings, type Rendered, type RenderOptions } from './template.ts';
export { mark as marked } from './values.ts';
