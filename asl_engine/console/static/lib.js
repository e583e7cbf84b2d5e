// The three libraries under one name; the pages import nothing of vendor/ themselves.
import { h, render, Fragment } from "./vendor/preact-10.29.8.module.js";
import htm from "./vendor/htm-3.1.1.module.js";

export { render, Fragment };
export { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact-hooks-10.29.8.module.js";
export { batch, computed, effect, signal, useComputed, useSignal, useSignalEffect } from "./vendor/preact-signals-2.11.4.module.js";

export const html = htm.bind(h);
