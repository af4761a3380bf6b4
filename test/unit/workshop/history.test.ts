import test from 'ava';
import fc from 'fast-check';
import {
	beginHistory, redone, stateOf, stepsMax, undone, withStep, type History, type Step,
} from '../../../src/workshop/history.js';
import type {RulesChoice} from '../../../src/workshop/protocol.js';

const choice = (input: string): RulesChoice => ({kind: 'generated', input});
const edit = (number: number): Step => ({kind: 'edit', edit: {kind: 'delete', at: {family: 'ip', table: 'nat', chain: 'OUTPUT', number}}});
const numbersOf = (history: History): readonly number[] => stateOf(history).edits.map(({at}) => at.number);

test('steps are counted, undone and repeated', t => {
	const one = withStep(beginHistory(choice('a')), edit(1))!;
	const two = withStep(one, edit(2))!;
	t.deepEqual(numbersOf(two), [1, 2]);
	t.deepEqual(numbersOf(undone(two)!), [1]);
	t.deepEqual(numbersOf(redone(undone(two)!)!), [1, 2]);
	t.is(redone(two), undefined);
	t.is(undone(beginHistory(choice('a'))), undefined);
});

test('other rules begin without changes, and undoing them brings the earlier ones back with theirs', t => {
	const edited = withStep(beginHistory(choice('a')), edit(1))!;
	const other = withStep(edited, {kind: 'rules', rules: choice('b')})!;
	t.deepEqual(stateOf(other), {rules: choice('b'), edits: []});
	t.deepEqual([stateOf(undone(other)!).rules, numbersOf(undone(other)!)], [choice('a'), [1]]);
});

test('a new step forgets what was undone', t => {
	const two = withStep(withStep(beginHistory(choice('a')), edit(1))!, edit(2))!;
	const other = withStep(undone(two)!, edit(3))!;
	t.deepEqual(numbersOf(other), [1, 3]);
	t.is(redone(other), undefined);
});

test('the history is limited', t => {
	let history: History | undefined = beginHistory(choice('a'));
	for (let number = 1; number < stepsMax; number++) {
		history = withStep(history!, edit(number));
	}

	t.is(numbersOf(history!).length, stepsMax - 1);
	t.is(withStep(history!, edit(1)), undefined);
});

test('as many steps forward as back lead to the same state', t => {
	fc.assert(fc.property(fc.array(fc.integer({min: 1, max: 9}), {minLength: 1, maxLength: 20}), fc.nat(30), (numbers, back) => {
		let whole: History = beginHistory(choice('a'));
		for (const number of numbers) {
			whole = withStep(whole, edit(number))!;
		}

		const steps = Math.min(back, numbers.length);
		let history = whole;
		for (let step = 0; step < steps; step++) {
			history = undone(history)!;
		}

		t.deepEqual(numbersOf(history), numbers.slice(0, numbers.length - steps));
		for (let step = 0; step < steps; step++) {
			history = redone(history)!;
		}

		t.deepEqual(history, whole);
	}));
});
