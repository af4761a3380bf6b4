import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {
	ActionInputError, argumentsFor, asRoot, outcomeOf, readInputs,
} from './command.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const help = `Usage: node scripts/action/step.mjs key|run

The two steps of action.yml. \`key\` names the cache of the installation; \`run\` runs the testbed with the inputs
that action.yml passes in variables (TESTBED_ACTION_RULES and so on). Both write to the file in GITHUB_OUTPUT.

Exit status: that of the testbed, or 2 if the inputs contradict each other.`;

/** Writes outputs of the step. A value is one line. */
function writeOutputs(outputs) {
	const file = process.env.GITHUB_OUTPUT;
	if (file !== undefined && file !== '') {
		fs.appendFileSync(file, Object.entries(outputs).map(([name, value]) => `${name}=${value}\n`).join(''));
	}
}

/** A key that changes with anything that is installed or built: what a build leaves is of no use to other sources. */
function cacheKey() {
	const {version} = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
	const hash = createHash('sha256').update(fs.readFileSync(path.join(root, 'package-lock.json')));
	for (const folder of ['src', 'testbed', 'page']) {
		const files = fs.readdirSync(path.join(root, folder), {withFileTypes: true, recursive: true})
			.filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath, entry.name)).toSorted();
		for (const file of files) {
			hash.update(path.relative(root, file)).update(fs.readFileSync(file));
		}
	}

	return `testbed-${version}-${process.platform}-${process.arch}-node${process.versions.node}-${hash.digest('hex').slice(0, 16)}`;
}

/** Runs the testbed and returns its exit status. */
function runTestbed() {
	const given = argumentsFor(readInputs(process.env));
	const [program, ...words] = asRoot([process.execPath, path.join(root, 'bin/testbed'), ...given], {uid: process.getuid(), path: process.env.PATH ?? ''});
	const {status, signal, error} = spawnSync(program, words, {stdio: 'inherit'});
	if (error !== undefined) {
		console.log(`::error title=testbed::${program} could not be started: ${error.message}`);
	} else if (signal !== null) {
		console.log(`::error title=testbed::The testbed was ended by ${signal}.`);
	}

	return status ?? 4;
}

function main([step]) {
	if (step === 'key') {
		writeOutputs({path: root, key: cacheKey()});
		return 0;
	}

	if (step !== 'run') {
		console.log(help);
		return step === '--help' ? 0 : 2;
	}

	let status = 2;
	try {
		status = runTestbed();
	} catch (error) {
		if (!(error instanceof ActionInputError)) {
			throw error;
		}

		console.log(`::error title=testbed::${error.message}`);
	}

	writeOutputs({status, outcome: outcomeOf(status)});
	return status;
}

process.exitCode = main(process.argv.slice(2));
