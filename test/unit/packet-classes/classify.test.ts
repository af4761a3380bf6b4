/** The classes compared with those of the plain algorithm (`helpers/plain-classes.ts`): the same sets in the same order, with the same predicted rules. */

import test from 'ava';
import fc from 'fast-check';
import {generate} from '../../../src/istio/generate.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import type {AddressFamily, RuleSet} from '../../../src/netfilter/types.js';
import {classify, classifyInSteps} from '../../../src/packet-classes/classify.js';
import {ClassLimitError} from '../../../src/packet-classes/limit.js';
import type {Program} from '../../../src/packet-classes/symbolic-walk.js';
import {addressFamilies, defaultTopology} from '../../../src/mesh/topology.js';
import {classesOf, programsOf, rulesOfTable} from '../../helpers/class-sets.js';
import {anyRun} from '../../helpers/istio-options.js';
import {plainClasses} from '../../helpers/plain-classes.js';
import {randomRule} from '../../helpers/random-rules.js';

/** Fixed, so that a run that fails can be looked at again. */
const seed = 14;

/** Holds the classes of rule sets compared with those of the plain algorithm; returns how many there are. */
function compare(programs: readonly Program[], family: AddressFamily): number {
	const {classes, leftOut} = classesOf(programs, family);
	const plain = plainClasses(programs, family);
	const print = (value: unknown): string => JSON.stringify(value, (_, each: unknown) => typeof each === 'bigint' ? `0x${each.toString(16)}` : each, '\t');
	const [own, other] = [{classes, leftOut}, plain].map(each => print(each)) as [string, string];
	if (own !== other) {
		const [lines, others] = [own.split('\n'), other.split('\n')];
		const place = lines.findIndex((line, index) => line !== others[index]);
		throw new Error(`${classes.length} classes, the plain way ${plain.classes.length}; the first that differs:\n${lines.slice(place - 3, place + 3).join('\n')}\n… and not\n${others.slice(place - 3, place + 3).join('\n')}`);
	}

	return classes.length;
}

/** Rules in chains of their own, some of which lead to each other. */
const chains = ['ONE', 'TWO'] as const;
function dumpOf(rules: ReadonlyArray<readonly [chain: string, rule: string]>): RuleSet {
	const text = rules.map(([chain, rule]) => `-A ${chain} ${rule}`);
	return parseSave(['*mangle', ...['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'].map(name => `:${name} ${name === 'INPUT' ? 'DROP' : 'ACCEPT'}`), ...[...chains, 'OTHER'].map(name => `:${name} -`), ...text, '-A OTHER -m mark --mark 0x1/0x3', 'COMMIT', ''].join('\n'), 'ipv4');
}

const anyRules = fc.array(fc.oneof(
	{weight: 4, arbitrary: fc.tuple(fc.constantFrom('OUTPUT', 'PREROUTING', 'INPUT', 'POSTROUTING', ...chains), randomRule('ipv4'))},
	{weight: 1, arbitrary: fc.tuple(fc.constantFrom('OUTPUT', 'PREROUTING'), fc.constantFrom('-j ONE', '-d 10.0.0.0/8 -g TWO', '-p tcp -m tcp --dport 80 -j ONE', '-m statistic --mode random --probability 0.5 -j TWO', '-m multiport --dports 80,443,8080 -j ONE', '! -o lo -j TWO'))},
), {minLength: 4, maxLength: 14, size: 'max'});

test('any rules: the same classes as by the simple method', t => {
	let most = 0;
	fc.assert(fc.property(anyRules, rules => {
		most = Math.max(most, compare([{ruleSet: dumpOf(rules), localMarks: [{mark: 1, mask: 3}]}], 'ipv4'));
	}), {numRuns: 80, seed});
	t.true(most > 50, String(most));
});

test('any two rule sets: the same joint classes as by the simple method', t => {
	let most = 0;
	fc.assert(fc.property(anyRules, anyRules, (rules, others) => {
		most = Math.max(most, compare(programsOf(dumpOf(rules), dumpOf([...rules.slice(1), ...others.slice(0, 2)])), 'ipv4'));
	}), {numRuns: 80, seed});
	t.true(most > 50, String(most));
});

test('rule sets that are the same are divided once, with the same classes as by the simple method', t => {
	let most = 0;
	fc.assert(fc.property(anyRules, anyRules, (rules, others) => {
		const [one, other, again] = [dumpOf(rules), dumpOf(others), dumpOf(rules)];
		most = Math.max(most, compare(programsOf(one, other, again), 'ipv4'));
		const {classes} = classesOf(programsOf(one, other, again));
		t.true(classes.every(({predicted}) => predicted[0] === predicted[2]));
	}), {numRuns: 40, seed});
	t.true(most > 50, String(most));
});

test('any options of any release, and nat: the same classes as by the simple method', t => {
	fc.assert(fc.property(anyRun, fc.constantFrom(...addressFamilies), fc.constantFrom('iptables-nft' as const, 'nftables' as const), (run, family, backend) => {
		fc.pre(backend === 'iptables-nft' || run.release.name === '1.30');
		compare([{ruleSet: generate({...run, families: addressFamilies, backend}), localMarks: [{mark: 1337, mask: 0xFF_FF_FF_FF}]}], family);
	}), {numRuns: 20, seed});
	t.pass();
});

/** Ranges of addresses, as in a list of exceptions. */
function ranges(count: number): RuleSet {
	return rulesOfTable('nat', ['-A OUTPUT -p tcp -j RANGES', ...Array.from({length: count}, (_, index) => `-A RANGES -d 10.${index >> 8}.${index & 255}.0/24 ${index % 2 === 0 ? '-j RETURN' : '-p tcp -j REDIRECT --to-ports 15001'}`)]);
}

test('many ranges beside themselves without one: the classes of the plain way', t => {
	const one = ranges(120);
	const tables = one.tables.map(table => ({...table, chains: table.chains.map(chain => ({...chain, rules: chain.rules.toSpliced(60, 1)}))}));
	t.is(compare(programsOf(one, {tables}), 'ipv4'), 125);
});

test('a limit ends the work if there are too many classes', t => {
	const mixed = Array.from({length: 60}, (_, index) => `-A OUTPUT ${[`-p tcp -m tcp --dport ${1000 + (10 * index)} -m owner --uid-owner ${index}`, `-d 10.0.${index}.0/24 -m owner --gid-owner ${index}`, `-p tcp -m tcp --sport ${1000 + (10 * index)} -m mark --mark ${index}`][index % 3]!} -j RETURN`);
	const error = t.throws(() => classify(programsOf(rulesOfTable('mangle', mixed)), {family: 'ipv4', topology: defaultTopology, limit: 2000}), {instanceOf: ClassLimitError});
	t.is(error.message, 'The rules divide the packets into more than 2000 classes.');
	const {classes} = classify(programsOf(ranges(10)), {family: 'ipv4', topology: defaultTopology, limit: 15});
	t.is(classes.length, 15, 'as many as the limit are no fault');
	t.throws(() => classify(programsOf(ranges(10), ranges(10)), {family: 'ipv4', topology: defaultTopology, limit: 14}), {instanceOf: ClassLimitError});
});

test('a cut can wait, and tells how far it is', t => {
	const told: number[] = [];
	let pauses = 0;
	const steps = classifyInSteps(programsOf(ranges(3000)), {
		family: 'ipv4', topology: defaultTopology, onClasses(classes) {
			told.push(classes);
		},
	});
	for (let step = steps.next(); step.done !== true; step = steps.next()) {
		pauses++;
	}

	t.true(pauses > 3, String(pauses));
	t.is(told.at(-1), 3005);
	t.deepEqual(told, told.toSorted((one, other) => one - other));
});
