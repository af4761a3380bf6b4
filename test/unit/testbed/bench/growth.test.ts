/** The growth curves: the drawing in docs is that of the data beside it, and its exponents are right. */

import {readFileSync} from 'node:fs';
import test from 'ava';
import {exponentOf, growthChart, type Growth, type GrowthPoint} from '../../../../testbed/bench/growth-chart.js';
import {mixedRules, nodeRules, rangeRules} from '../../../../testbed/bench/big-rule-sets.js';
import {medianCost, medianOf} from '../../../../testbed/bench/timed-command.js';
import {rulesOf} from '../../../../src/netfilter/lookup.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {elementsOf, parseXml} from '../../../helpers/junit.js';

const points: readonly GrowthPoint[] = [100, 1000, 10_000].map(rules => ({
	rules, clockSeconds: rules / 50, processorSeconds: (rules / 100) ** 2, memoryMiB: 200,
}));
const growth: Growth = {
	what: 'diff A B <x>', kernel: '6.18', node: '20.20.2', processors: 2, rounds: 3, points,
};

test('the exponent is that of the power with which a measure grows', t => {
	t.is(exponentOf(points, 'clockSeconds').toFixed(3), '1.000');
	t.is(exponentOf(points, 'processorSeconds').toFixed(3), '2.000');
	t.is(exponentOf(points, 'memoryMiB').toFixed(3), '0.000');
});

test('the drawing shows all points, says what they are, and stays inside its frame', t => {
	const svg = growthChart(growth);
	t.is(elementsOf(parseXml(svg), 'circle').length, 6);
	t.true(svg.includes('of all processors: exponent 2.00') && svg.includes('of the main process: exponent 0.00'));
	t.true(svg.includes('diff A B &lt;x&gt;'));
	t.true(svg.includes('Time of all processors: 100 rules 1 s, 1000 rules 100 s, 10000 rules 10,000 s; exponent 2.00.'));
	for (const [, x, y] of svg.matchAll(/<circle class="f\d" cx="(?<x>[\d.]+)" cy="(?<y>[\d.]+)"/gu)) {
		t.true(Number(x) > 60 && Number(x) < 704 && Number(y) >= 74 && Number(y) <= 280, `${x} ${y}`);
	}

	const heights = [...svg.matchAll(/<circle class="f0" cx="[\d.]+" cy="(?<y>[\d.]+)"/gu)].map(({groups}) => Number(groups!['y']));
	t.deepEqual(heights.slice(0, 3), heights.slice(0, 3).toSorted((one, other) => other - one), 'more is higher');
});

test('docs/growth.svg is the drawing of docs/growth.json', t => {
	const data = JSON.parse(readFileSync('docs/growth.json', 'utf8')) as Growth;
	t.is(readFileSync('docs/growth.svg', 'utf8'), growthChart(data));
	t.deepEqual(data.points.map(({rules}) => rules), [300, 1000, 2000, 5000, 10_000]);
});

test('medians', t => {
	t.is(medianOf([3, 1, 2]), 2);
	t.is(medianOf([]), Number.NaN);
	t.deepEqual(medianCost([3, 1, 2].map(value => ({
		clockSeconds: value, processorSeconds: value * 2, memoryMiB: value * 3, status: value, isCut: value === 3,
	}))), {
		clockSeconds: 2, processorSeconds: 4, memoryMiB: 6, status: 2, isCut: true,
	});
});

test('generated rule sets have as many rules as they say, and are the same every time', t => {
	const count = (text: string): number => [...rulesOf(parseSave(text, 'ipv4'))].length;
	t.is(count(rangeRules(300)), 301);
	t.is(count(mixedRules(100)), 101);
	t.is(count(nodeRules({services: 30, endpoints: 4})), 7 + (30 * 14));
	t.is(nodeRules({services: 3, endpoints: 2}), nodeRules({services: 3, endpoints: 2}));
	t.true(nodeRules({services: 1, endpoints: 3}).includes('--probability 0.33333333333 -j KUBE-SEP-'));
	t.false(nodeRules({services: 1, endpoints: 1}).includes('statistic'));
});
