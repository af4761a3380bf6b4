import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';

const help = `Usage: node scripts/compare-answers.mjs ONE TWO

Compares two files with the output of \`testbed probe --batch\`, line by line: id,
path, stops, outcome, the reason why nothing was sent, and gaps. It ignores the
source ports in messages, because the kernel chooses them anew each time.

Exit status: 0 no difference, 1 some lines differ (each is printed), 2 a file
cannot be read.

To compare two machines, run this on each of them:
  testbed probe --batch test/fixtures/batch/probes.jsonl --follow > ONE`;

/** The parts of an answer that do not depend on the machine: source ports in messages are chosen by the kernel. */
export function summaryOf({id, path, stops, outcome, unsendable, gaps}) {
	return {
		id,
		path,
		stops,
		outcome,
		...(unsendable === undefined ? {} : {unsendable: {errno: unsendable.errno, message: unsendable.message.replaceAll(/^Probe \d+ /gv, 'Probe ')}}),
		gaps: gaps.map(({kind, message}) => `${kind}: ${message.replaceAll(/(?<address>[\d.]+|\[[^\]]*\]):\d+(?= →)/gv, '$<address>')}`),
	};
}

/** The differing answers as lines to print, including those that only one file has. */
export function differencesBetween(one, two) {
	const count = Math.max(one.length, two.length);
	return Array.from({length: count}, (_, index) => {
		const [left, right] = [one[index], two[index]].map(answer => answer === undefined ? 'no answer' : JSON.stringify(summaryOf(answer)));
		return left === right ? [] : [`answer ${index + 1}:\n  - ${left}\n  + ${right}`];
	}).flat();
}

/** Parses answers from JSON lines. */
export function readAnswers(text) {
	return text.split('\n').filter(line => line.trim() !== '').map(line => JSON.parse(line));
}

function main([one, two, ...rest]) {
	if (one === '--help' || one === '-h') {
		console.log(help);
		return 0;
	}

	if (two === undefined || rest.length > 0) {
		console.error(help);
		return 2;
	}

	let both;
	try {
		both = [one, two].map(file => readAnswers(fs.readFileSync(file, 'utf8')));
	} catch (error) {
		console.error(`These answers cannot be read: ${error.message}`);
		return 2;
	}

	const differences = differencesBetween(...both);
	console.log(differences.length === 0 && both[0].length > 0 ? `${both[0].length} answers, all the same` : [...differences, `${differences.length} of ${Math.max(...both.map(({length}) => length))} answers differ`].join('\n'));
	return differences.length === 0 && both[0].length > 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
	process.exitCode = main(process.argv.slice(2));
}
