import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';

const help = `Usage: node scripts/compare-answers.mjs ONE TWO

Compares two files of answers as \`testbed probe --batch\` prints them, line by
line: id, path, stops, outcome, why nothing was sent, gaps. The source ports in
messages, which the kernel chooses anew each time, are left out.

Status 0: the same; 1: not, with each line that differs; 2: a file cannot be read.

For instance, of this machine and of another one:
  testbed probe --batch test/fixtures/batch/probes.jsonl --follow > ONE`;

/** What is the same of an answer wherever it is given: the source ports in messages are the kernel's choice. */
export function summaryOf({id, path, stops, outcome, unsendable, gaps}) {
	return {
		id,
		path,
		stops,
		outcome,
		...(unsendable === undefined ? {} : {unsendable: {errno: unsendable.errno, message: unsendable.message.replaceAll(/^The probe \d+ /gv, 'The probe ')}}),
		gaps: gaps.map(({kind, message}) => `${kind}: ${message.replaceAll(/(?<address>[\d.]+|\[[^\]]*\]):\d+(?= →)/gv, '$<address>')}`),
	};
}

/** The answers that differ, as lines to print; also where one file has more of them. */
export function differencesBetween(one, two) {
	const count = Math.max(one.length, two.length);
	return Array.from({length: count}, (_, index) => {
		const [left, right] = [one[index], two[index]].map(answer => answer === undefined ? 'no answer' : JSON.stringify(summaryOf(answer)));
		return left === right ? [] : [`answer ${index + 1}:\n  - ${left}\n  + ${right}`];
	}).flat();
}

/** The answers of a text of JSON lines. */
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
