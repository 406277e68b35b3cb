/** The parameter `attribute` of jinja2's filters: names and numbers divided by dots. */
import { itemOf } from './access.ts';
import { isStr, textOf } from './marked-text.ts';
import { Undefined, type Value } from './values.ts';

const partsOf = (attribute: Value): readonly Value[] => {
  if (attribute === null) return [];
  if (!isStr(attribute)) return [attribute];
  return textOf(attribute)
    .split('.')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
};

/** Reads an attribute of a value; `otherwise` stands in for what is undefined, unless it is null. */
export function attributeGetter(attribute: Value, otherwise: Value = null): (value: Value) => Value {
  const parts = partsOf(attribute);
  return (value) => {
    let item = value;
    for (const part of parts) {
      item = itemOf(item, part);
      if (otherwise !== null && item instanceof Undefined) item = otherwise;
    }
    return item;
  };
}

/** Several attributes divided by commas, as a list to order by. */
export function attributesGetter(attribute: Value): (value: Value) => readonly Value[] {
  const names = isStr(attribute) ? textOf(attribute).split(',') : [attribute];
  const getters = names.map((name) => attributeGetter(name));
  return (value) => getters.map((getter) => getter(value));
}
