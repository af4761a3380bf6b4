/**
Random pairs of option sets: `testbed diff` says equal exactly when random packets find no difference, and every class that it calls moved has moved for packets drawn from it.

A longer run: `PAIRS=50 PACKETS=5000 SEED=7 npx ava dist/test/kernel/diff-pairs.test.js --timeout=60m`.
*/

import process from 'node:process';
import test from 'ava';
import fc from 'fast-check';
import {TestbedError} from '../../testbed/errors.js';
import {
	anyPair, loadPair, tryPair, type PairResult,
} from './_diff-pairs.js';

const {PAIRS: pairsText = '6', PACKETS: packetsText = '1000', SEED: seedText = '20250101'} = process.env;
const [pairs, packets, seed] = [Number(pairsText), Number(packetsText), Number(seedText)];

test(`${pairs} random pairs, ${packets} random packets each: equal if and only if no packet moves`, async t => {
	t.timeout(120_000 + (pairs * packets * 20));
	const results: PairResult[] = [];
	const refused: string[] = [];
	for (const pair of fc.sample(anyPair, {numRuns: pairs * 6, seed})) {
		if (results.length === pairs) {
			break;
		}

		const inputs = loadPair(pair);
		const title = `seed ${seed}: diff "${pair.from}" "${pair.to}" --backend ${pair.backends.join(',')}`;
		if (inputs === undefined) {
			refused.push(title);
			continue;
		}

		try {
			const result = await tryPair(inputs, {packets, seed}); // eslint-disable-line no-await-in-loop -- Two stages at a time.
			results.push(result);
			t.deepEqual(result.broken.slice(0, 5), [], title);
			t.true(result.doubtful <= result.packets / 20, `${result.doubtful} of ${result.packets} are in doubt: ${title}`);
			for (const each of result.atListeners.slice(0, 3)) {
				t.log(`at a listener: ${each}`);
			}

			for (const each of result.carriedOn.slice(0, 3)) {
				t.log(`carried on by other rules: ${each}`);
			}

			t.log(`${result.outcome}: ${result.movedClasses} of ${result.classes} classes; ${result.different} of ${result.packets} packets, ${result.doubtful} in doubt. ${title}`);
		} catch (error) {
			// Rules that the kernel rejects cannot be compared.
			if (!(error instanceof TestbedError && error.code === 'RULES_REJECTED')) {
				throw new Error(title, {cause: error});
			}

			refused.push(title);
		}
	}

	t.log(`${refused.length} pairs were refused by the release or the kernel`);
	t.is(results.length, pairs);
	// So many pairs are of both kinds, or the choice of pairs shows nothing.
	if (pairs >= 6) {
		t.true(results.some(({outcome}) => outcome === 'equal'), 'some pair is equal');
		t.true(results.some(({outcome, different}) => outcome === 'moved' && different > 0), 'some pair differs');
	}
});

const [before, after] = loadPair({from: 'release:1.12', to: 'release:1.13', backends: ['iptables-nft', 'iptables-nft']})!;

/** What is compared, what is sent through, and what the law then says. */
const lies: ReadonlyArray<readonly [title: string, inputs: Parameters<typeof tryPair>[0], sent: Parameters<typeof tryPair>[0], said: RegExp]> = [
	['equal, though packets move', [before, before], [before, after], /^equal, with [1-9]\d* packets that moved/u],
	['a class that stays, though its packets move', [before, before], [before, after], /^direct → proxy:15006 > direct: .*"port":22\b.*direct → direct/u],
	['a class that moves, though its packets stay', [before, after], [before, before], /^direct → direct: .*"port":22\b.*direct → proxy:15006 > direct/u],
];

for (const [title, inputs, sent, said] of lies) {
	test(`goes red: ${title}`, async t => {
		const {broken} = await tryPair(inputs, {packets: 600, seed, sent});
		t.true(broken.some(each => said.test(each)), broken.join('\n'));
	});
}
