// The libraries under one name.
import { h } from "./vendor/preact-10.29.8.module.js";
import { useEffect, useState } from "./vendor/preact-hooks-10.29.8.module.js";
import htm from "./vendor/htm-3.1.1.module.js";

export { render } from "./vendor/preact-10.29.8.module.js";
export { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact-hooks-10.29.8.module.js";
export { batch, signal } from "./vendor/preact-signals-core-1.14.5.module.js";

export const html = htm.bind(h);

/** The value of a signal; the component is drawn again when it changes. */
export function use(signal) {
  const [, turn] = useState(0);
  useEffect(() => signal?.subscribe(() => turn((n) => n + 1)), [signal]);
  return signal?.value;
}
