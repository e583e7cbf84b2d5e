// Measures aws-local-stepfunctions (npm) in process: it keeps nothing, and has no API.
//
//     node local_stepfunctions.mjs NODE_MODULES < workloads.json
//
// Each workload is {definition, input, output, atOnce, seconds}.  For each, a line with its executions per
// second, or with a text that says why there are none.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

const { StateMachine } = createRequire(join(process.argv[2], 'index.js'))('aws-local-stepfunctions');

async function rate({ definition, input, output, atOnce, seconds }) {
  const machine = new StateMachine(definition);
  const execute = async () => {
    const found = await machine.run(input).result;
    if (!isDeepStrictEqual(found, output)) throw new Error('wrong output');
  };
  await execute();
  let done = 0;
  const began = performance.now();
  const caller = async () => {
    while (performance.now() < began + seconds * 1000) {
      await execute();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
  return (done * 1000) / (performance.now() - began);
}

let text = '';
for await (const chunk of process.stdin) text += chunk;
for (const workload of JSON.parse(text)) {
  let found;
  try {
    found = await rate(workload);
  } catch (error) {
    found = String(error.message ?? error).slice(0, 60);
  }
  console.log(JSON.stringify(found));
}
