// Numbers, moments and names as people read them.

export const count = (number) => Number(number).toLocaleString("en-US");

export const plural = (number, noun, many = `${noun}s`) => `${count(number)} ${number === 1 ? noun : many}`;

const two = (number) => String(number).padStart(2, "0");

/** 8 ms, 1.24 s, 3 min 05 s, 2 h 10 min. */
export function duration(milliseconds) {
  if (milliseconds == null) return "";
  const whole = Math.max(0, Math.round(milliseconds)), seconds = Math.floor(whole / 1000), minutes = Math.floor(seconds / 60);
  if (whole < 1000) return `${whole} ms`;
  if (seconds < 60) return `${(whole / 1000).toFixed(seconds < 10 ? 2 : 1)} s`;
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min` : `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** 14:03:22.118 in the own time zone, with the day if that is not today. */
export function clock(moment, millis = true) {
  const at = new Date(moment);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}${millis ? `.${String(at.getMilliseconds()).padStart(3, "0")}` : ""}`;
  return at.toDateString() === new Date().toDateString() ? time : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

export const words = (status) => String(status).toLowerCase().replace(/_/g, " ");
export const dashed = (status) => words(status).replace(/ /g, "-");

export const lastPart = (arn) => String(arn).split(":").pop();

/** No meaning hangs on a colour alone. */
export const SIGNS = { succeeded: "✓", failed: "✗", caught: "↷", running: "▶", aborted: "■", "timed-out": "✗", "not-reached": "○" };

export const STATUSES = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"];

/** A text without characters that hide others or change their order. */
export const visible = (text) => String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
  (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
