import process from 'node:process';
import {observeRun} from './scripts/ci/observe.mjs';

// CI counts from ava's own statistics, because no reporter prints them whole: the default one leaves out how many passed when something failed, and the TAP one of ava 7.0.0 dies at a timeout. Nor does a reporter say which files are slow. Of single files nobody asks that, and ava warns of its experiment whenever one is on.
const {TESTBED_AVA_RESULT: resultFile} = process.env;
const areSingleFiles = process.argv.some(argument => argument.endsWith('.test.js'));
const observation = {
	nonSemVerExperiments: {observeRunsFromConfig: true},
	observeRun: observeRun({
		resultFile,
		say(text) {
			process.stderr.write(text);
		},
	}),
};
const observed = resultFile === undefined && areSingleFiles ? {} : observation;

const config = {
	files: ['dist/test/**/*.test.js'],
	// A kernel test starts up to a dozen processes of its own; more files at once would only make each wait longer on the two cores of CI.
	concurrency: 2,
	// Ava's limit is for silence: no test of the whole run has ended for so long. A run of eight testbeds on a busy machine takes its time, and a hang must still end before CI's own limit.
	timeout: '5m',
	// A process for each file, not a thread: tests change credentials and call the kernel by FFI, where a fault would take all other files along.
	workerThreads: false,
	...observed,
};

export default config;
