import test from 'ava';
import {candidatesOf, isRight, rightCandidates, scored} from '../../../src/workshop/predictions.js';
import {sketchReport} from '../../helpers/reports.js';

const report = sketchReport({input: 'release:1.31', families: ['ipv4']});
const {rules} = report.loaded!;
const names = (from: 'app' | 'remote'): readonly string[] => candidatesOf(rules, {from, family: 'ipv4'}).map(({chain, number}) => `${chain}#${number}`);

test('what the app sends can be decided by the rules of the outbound chain alone', t => {
	t.deepEqual(names('app'), [1, 2, 3, 4, 5, 6, 7, 8, 9].map(number => `ISTIO_OUTPUT#${number}`));
});

test('what comes in can be decided by the rules of the inbound chain alone', t => {
	t.deepEqual(names('remote'), [1, 2, 3, 4, 5].map(number => `ISTIO_INBOUND#${number}`));
});

test('the rules that a leg met on its way are right, and no others', t => {
	const type = report.types.find(({id}) => id === '2')!;
	const candidates = candidatesOf(rules, {from: 'app', family: 'ipv4'});
	const right = rightCandidates(candidates, type.legs[0]!, rules);
	t.deepEqual(right.map(place => candidates[place]!.number), [9]);
	t.true(isRight(8, right));
	t.false(isRight(7, right));
	t.false(isRight(null, right));
});

test('no rule decides where none matched', t => {
	const [leg] = report.types.find(({id}) => id === '2')!.legs;
	t.deepEqual(rightCandidates(candidatesOf(rules, {from: 'app', family: 'ipv4'}), {...leg!, traversals: []}, rules), []);
	t.true(isRight(null, []));
	t.false(isRight(3, []));
});

test('a guess counts only if the evidence shows the answer', t => {
	t.deepEqual(scored({asked: 1, right: 1}, 2, [2]), {asked: 2, right: 2});
	t.deepEqual(scored({asked: 1, right: 1}, 2, [3]), {asked: 2, right: 1});
	t.deepEqual(scored({asked: 1, right: 1}, null, []), {asked: 2, right: 2});
	t.deepEqual(scored({asked: 1, right: 1}, 2, null), {asked: 1, right: 1});
});
