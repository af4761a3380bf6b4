/** Every lesson in one sandbox that stands, as on the page: each step gives the answer that its texts were written for, whatever was sent before. */

import test from 'ava';
import {advance, isAsWritten, startLesson, stepOf} from '../../src/lessons/engine.js';
import {parseLesson} from '../../src/lessons/parse.js';
import {loadLessons} from '../../testbed/lessons/lesson-files.js';
import {observeStep} from '../../testbed/lessons/observe-step.js';
import {AnsweringSandbox} from '../../testbed/serve/answering-sandbox.js';
import {standingSender} from '../../testbed/serve/standing-sender.js';
import {defaultBufferBytes} from '../../testbed/tracer/trace-source.js';
import {lessonText} from '../helpers/lessons.js';

const options = {timeoutMs: 5000, traceBufferBytes: defaultBufferBytes, signal: new AbortController().signal};

test.serial('all lessons, one after the other, forward and back', async t => {
	await using sandbox = new AnsweringSandbox(options);
	const sender = standingSender(sandbox, options);
	const lessons = loadLessons();
	for (const {lesson, folder} of [...lessons, ...lessons.slice(-4).toReversed()]) {
		let state = startLesson(lesson);
		while (state.phase !== 'ended') {
			const step = `${lesson.name}, step ${state.index + 1}`;
			const evidence = await observeStep(stepOf(state), { // eslint-disable-line no-await-in-loop -- In the order of a course.
				...options, folder, sender, onProgress: () => undefined,
			});
			state = advance(state, {kind: 'observed', evidence}).state;
			t.true(isAsWritten(state), `${step}: ${state.question?.kind === 'ready' ? `the kernel says ${state.question.right.join(', ')}` : state.question?.reasons.join(' ') ?? ''}`);
			if (state.question?.kind !== 'ready') {
				break;
			}

			state = advance(state, {kind: 'answer', answer: state.question.right}).state;
			t.is(state.results.at(-1)?.kind, 'right', step);
			state = advance(state, {kind: 'next'}).state;
		}
	}
});

test.serial('a socket bound to a device, which no standing actor has, gets a sandbox of its own', async t => {
	await using sandbox = new AnsweringSandbox(options);
	const [step] = parseLesson(lessonText({
		steps: `  - traffic: {connections: [{name: bound, to: "remote:8080", bindDevice: eth0}, {name: free, to: "remote:8080"}]}
    question: Q?
    asks: {what: bypassing}
    writtenFor: [bound]
    ending: E.`,
	}), 'x.md').steps;
	const {connections} = await observeStep(step!, {
		...options, folder: '.', sender: standingSender(sandbox, options), onProgress: () => undefined,
	});
	t.deepEqual(connections.map(({id, legs}) => [id, legs[0]!.end.kind]), [['bound', 'lost'], ['free', 'accepted']]);
});

test.serial('lost trace events leave no question, also where the sandbox stands', async t => {
	await using sandbox = new AnsweringSandbox({...options, traceBufferBytes: 1});
	const {lesson, folder} = loadLessons()[0]!;
	const evidence = await observeStep(lesson.steps[0]!, {
		...options, folder, sender: standingSender(sandbox, options), onProgress: () => undefined,
	});
	t.is(advance(startLesson(lesson), {kind: 'observed', evidence}).state.results[0]!.kind, 'inconclusive');
});
