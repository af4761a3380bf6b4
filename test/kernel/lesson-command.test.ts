/** `testbed lesson` as people and pipelines use it: by lines, by a file, at a terminal, and with mistakes. */

import {writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {lessonText, plainStep} from '../helpers/lessons.js';
import {testbed, until, WatchedRun} from './_cli.js';

/** A file of a test's own. */
async function fileWith(t: ExecutionContext, name: string, text: string): Promise<string> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	const file = path.join(folder, name);
	writeFileSync(file, text);
	return file;
}

async function statusOf(lesson: string, input: string): Promise<number | undefined> {
	const {exitCode} = await testbed(['lesson', lesson], {input});
	return exitCode;
}

test.serial('the list needs neither root nor the kernel', async t => {
	const {exitCode, stdout} = await testbed(['lesson', '--list']);
	t.is(exitCode, 0);
	t.regex(stdout, /The six types\n +1 +into-the-pod +2 min {2}Into the pod\n/u);
	t.regex(stdout, /19 lessons, 30 minutes\. One of them: (?:bin\/)?testbed lesson NAME\n$/u);
});

test.serial('correct answers, read from lines', async t => {
	const {exitCode, stdout} = await testbed(['lesson', 'out-of-the-pod'], {input: '# mine\n9\n\n4\n4\n'});
	t.is(exitCode, 0);
	t.regex(stdout, /Question 1 of 3\n[\s\S]*✔ Correct: rule 9\n[\s\S]*ISTIO_OUTPUT#9 +-j ISTIO_REDIRECT\n[\s\S]*→ proxy:15001\n/u);
	t.regex(stdout, /\n {2}3 of 3 correct\n$/u);
});

test.serial('a wrong answer, giving up, and answers from a file', async t => {
	const file = await fileWith(t, 'answers.txt', '8\n?\nloop\n');
	const {exitCode, stdout} = await testbed(['lesson', '2', '--answers', file]);
	t.is(exitCode, 1);
	t.regex(stdout, /✖ Wrong\. The kernel says: rule 9\n[\s\S]*The kernel says: rule 4\n[\s\S]*✔ Correct: it never ends: the flow is a loop\n[\s\S]*1 of 3 correct, 2 not\n$/u);
});

test.serial('answers that are lists', async t => {
	t.is(await statusOf('native-nftables', '9\nnone\n'), 0);
	t.is(await statusOf('never-matched', '6, 5\n5\n'), 0);
	t.is(await statusOf('never-matched', '5\n5\n'), 1);
});

for (const [title, given, input, message] of [
	['too few answers', ['lesson', 'out-of-the-pod'], '9\n', /^testbed: standard input has 1 answer, but the lesson has 3 questions\.\n→ Write one line for each question/mu],
	['no answer', ['lesson', 'metrics'], '', /standard input has 0 answers, but the lesson has 1 question\./u],
	['one answer too many', ['lesson', 'metrics'], '2\n2\n', /standard input, line 2: this is one answer too many, for the lesson has 1 question\./u],
	['a choice that there is not', ['lesson', 'metrics'], '\n7\n', /standard input, line 2: "7" is not one of the choices, which are 1 to 3\./u],
	['two choices for one', ['lesson', 'metrics'], '1,2\n', /line 1: This question takes one answer, not 2\. The choices are 1 to 3\./u],
	['no lesson', ['lesson'], '', /^testbed: Which lesson\?\n→ All of them: (?:bin\/)?testbed lesson --list/mu],
	['a misspelled lesson', ['lesson', 'hairpn'], '', /^testbed: There is no lesson "hairpn"\. Did you mean hairpin\?\n/mu],
	['a number that no lesson has', ['lesson', '99'], '', /There is no lesson "99"\./u],
	['--show with answers', ['lesson', 'metrics', '--show', '--answers', '-'], '', /--show gives the answers itself/u],
	['answers that are not there', ['lesson', 'metrics', '--answers', '/nowhere/answers'], '', /The answers cannot be read: \/nowhere\/answers: no such file\./u],
	['answers without a name', ['lesson', 'metrics', '--answers', ''], '', /--answers is empty \(an unset variable\?\)/u],
	['a file that is not there', ['lesson', './nothing.md', '--show'], '', /The lesson cannot be read: \.\/nothing\.md: no such file\./u],
	['a file that is not a lesson', ['lesson', 'README.md', '--show'], '', /README\.md: line 1: a lesson begins with a line of ---/u],
] as const) {
	test.serial(`status 2: ${title}`, async t => {
		const {exitCode, stderr} = await testbed(given, {input, cwd: path.resolve('.')});
		t.is(exitCode, 2);
		t.regex(stderr, message);
	});
}

test.serial('the answers in a file are counted before anything is sent', async t => {
	for (const [text, message] of [
		['9\n4\n', /answers\.txt has 2 answers, but the lesson has 3 questions\./u],
		['9\n4\n4\n1\n', /answers\.txt has 4 answers, but the lesson has only 3 questions\./u],
	] as const) {
		const {exitCode, stdout, stderr} = await testbed(['lesson', 'out-of-the-pod', '--answers', await fileWith(t, 'answers.txt', text)]); // eslint-disable-line no-await-in-loop
		t.is(exitCode, 2);
		t.is(stdout, '');
		t.regex(stderr, message);
	}
});

test.serial('--show prints all answers, and no score', async t => {
	const {exitCode, stdout} = await testbed(['lesson', 'two-uids', '--show']);
	t.is(exitCode, 0);
	t.regex(stdout, /The kernel says: type 4, local-to-local\n[\s\S]*The kernel says: rule 3\n[\s\S]*The kernel says: -u 1337; -u 1337,64535\n/u);
	t.notRegex(stdout, /\d of \d correct/u);
});

test.serial('a text that was written for another answer is left out, and --show ends with another status', async t => {
	const file = await fileWith(t, 'mine.md', lessonText({steps: plainStep.replace('writtenFor: 9', 'writtenFor: 4')}));
	const {exitCode, stdout} = await testbed(['lesson', file, '--show']);
	t.is(exitCode, 1);
	t.regex(stdout, /The kernel says: rule 9\n[\s\S]*was written for another answer/u);
	t.notRegex(stdout, /Rule 9\./u);
	t.is(await statusOf(file, '9\n'), 0);
	t.is(await statusOf(file, '4\n'), 1);
});

test.serial('evidence with a gap: no question is asked, and the status is 3', async t => {
	const {exitCode, stdout} = await testbed(['lesson', 'metrics', '--trace-buffer', '1', '--answers', '-'], {input: ''});
	t.is(exitCode, 3);
	t.regex(stdout, /\? Inconclusive: .*overflowed[\s\S]*0 of 1 correct, 1 inconclusive\n$/u);
});

/** What a person at a terminal does: waits until it shows something, and presses keys. */
type Terminal = {readonly shows: (text: string) => Promise<void>; readonly press: (keys: string) => void};

/** A run at a terminal of its own. */
async function atTerminal(given: string, type: (terminal: Terminal) => Promise<void>): Promise<{readonly exitCode: number | undefined; readonly screen: string}> {
	const run = execa('script', ['-q', '-e', '-c', `stty cols 100 rows 40; exec '${process.execPath}' '${path.resolve('scripts/run.cjs')}' testbed ${given}`, '/dev/null'], {
		stdin: 'pipe', reject: false, all: true, env: {NO_COLOR: '1', TERM: 'xterm', FORCE_COLOR: undefined},
	});
	let screen = '';
	let seen = 0;
	run.all.on('data', (text: unknown) => {
		screen += String(text);
	});
	try {
		await type({
			async shows(text) {
				await until(`the terminal shows ${text}`, () => {
					const place = screen.indexOf(text, seen);
					if (place === -1) {
						return undefined;
					}

					seen = place + text.length;
					return true;
				});
			},
			press(keys) {
				run.stdin.write(keys);
			},
		});
	} catch (error) {
		run.kill('SIGKILL');
		throw error;
	}

	// Its input stays open until it has ended: an end right behind Escape would make another key of it.

	const {exitCode} = await run;
	return {exitCode, screen};
}

test.serial('at a terminal: a hint, a wrong answer, a correct one, and the offer of the next lesson', async t => {
	const {exitCode, screen} = await atTerminal('lesson metrics', async ({shows, press}) => {
		await shows('Your answer');
		press('?\r');
		await shows('hint  You have seen');
		await shows('Your answer');
		press('1\r');
		await shows('✖ Not that one.');
		await shows('Your answer');
		press('3\r');
		await shows('✖ Wrong. The kernel says: proxy:15090');
		await shows('And now?');
		press('q\r');
	});
	t.is(exitCode, 1);
	t.regex(screen, /0 of 1 correct, 1 not/u);

	const right = await atTerminal('lesson metrics', async ({shows, press}) => {
		await shows('Your answer');
		press('3\r');
		await shows('✖ Not that one.');
		await shows('Your answer');
		press('2\r');
		await shows('✔ Correct: proxy:15090');
		await shows('And now?');
		press('q\r');
	});
	t.is(right.exitCode, 0);
});

test.serial('at a terminal: a list is marked with space', async t => {
	const {exitCode} = await atTerminal('lesson never-matched', async ({shows, press}) => {
		await shows('space marks, enter sends');
		press('5');
		press(' ');
		press('6');
		press(' ');
		press('\r');
		await shows('✔ Correct');
		await shows('Your answer');
		press('5\r');
		await shows('✔ Correct');
		await shows('And now?');
		press('q\r');
	});
	t.is(exitCode, 0);
});

for (const [title, keys] of [['Ctrl-C', '\u0003'], ['Escape', '\u001B']] as const) {
	test.serial(`at a terminal: ${title} ends the lesson with status 130`, async t => {
		const {exitCode, screen} = await atTerminal('lesson metrics', async ({shows, press}) => {
			await shows('Your answer');
			press(keys);
		});
		t.is(exitCode, 130);
		t.regex(screen, /Interrupted by SIGINT\./u);
	});
}

test.serial('a signal while packets are being sent ends the lesson with status 130, and leaves nothing behind', async t => {
	await using run = await WatchedRun.start(['lesson', 'never-matched', '--answers', '-'], {stdin: 'pipe'});
	await until('the sandbox stands', () => run.noteNamespaces() > 0 ? true : undefined);
	run.process.kill('SIGINT');
	const {exitCode} = await run.process;
	t.is(exitCode, 130);
	await run.nothingLeft();
});

test.serial('a signal while the lesson waits for an answer ends it with status 130, and leaves nothing behind', async t => {
	await using run = await WatchedRun.start(['lesson', 'metrics', '--answers', '-'], {stdin: 'pipe'});
	let stdout = '';
	run.process.stdout!.on('data', (text: unknown) => {
		stdout += String(text);
	});
	await until('the question stands', () => stdout.includes('Which listener') ? true : undefined);
	run.process.kill('SIGTERM');
	const {exitCode} = await run.process;
	t.is(exitCode, 130);
	await run.nothingLeft();
});
