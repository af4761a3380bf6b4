/**
Loaded before a run (`node --import`): ends one of its threads a while after its start, as if the kernel had killed it. `SOAK_THREAD` is a part of the file name of its program, `SOAK_AFTER` the number of milliseconds.
*/

import {syncBuiltinESMExports} from 'node:module';
import process from 'node:process';
import threads from 'node:worker_threads';

const {SOAK_THREAD: name, SOAK_AFTER: afterMs} = process.env;
const {Worker} = threads;

threads.Worker = class extends Worker {
	constructor(program, options) {
		super(program, options);
		if (String(program).includes(name)) {
			setTimeout(() => {
				this.terminate();
			}, Number(afterMs)).unref();
		}
	}
};
syncBuiltinESMExports();
