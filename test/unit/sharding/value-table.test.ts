/** The laws of the codec: what is read is what was written, through JSON, and what cannot be read again is refused. */

import test from 'ava';
import fc from 'fast-check';
import {TableReader, TableWriter, type ValueNode} from '../../../src/sharding/value-table.js';

type Written = {readonly slot: Parameters<TableReader['read']>[0]['slot']; readonly nodes: readonly ValueNode[]};
/** As a file would bring it: what JSON cannot write is lost. */
function throughJson(written: Written): Written {
	const text = JSON.stringify(written);
	return JSON.parse(text) as Written;
}

const primitives = fc.oneof(fc.string(), fc.boolean(), fc.constant(null), fc.constant(undefined), fc.bigInt(), fc.double(), fc.integer());
const leaves = fc.oneof(primitives, fc.uint8Array({maxLength: 8}));
const {value: values} = fc.letrec(tie => ({
	value: fc.oneof(
		{maxDepth: 4},
		leaves,
		fc.array(tie('value'), {maxLength: 4}),
		fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'o', '0', 'constructor')), tie('value'), {maxKeys: 4, noNullPrototype: true}),
		fc.array(fc.tuple(fc.oneof(fc.string(), fc.integer()), tie('value')), {maxLength: 4}).map(entries => new Map(entries)),
		fc.array(primitives, {maxLength: 4}).map(entries => new Set(entries)),
	),
}));

test('values come back as they were, with one table for several', t => {
	fc.assert(fc.property(fc.array(values, {maxLength: 4}), given => {
		const [writer, reader] = [new TableWriter(), new TableReader()];
		for (const value of given) {
			t.deepEqual(reader.read(throughJson(writer.write(value))), value);
		}
	}));
});

test('the order of keys stays', t => {
	const read = new TableReader().read(throughJson(new TableWriter().write({z: 1, a: {y: 2, b: 3}})));
	t.is(JSON.stringify(read), '{"z":1,"a":{"y":2,"b":3}}');
});

test('equal parts are written once', t => {
	const writer = new TableWriter();
	const rules = () => ({chain: 'OUTPUT', matches: [{kind: 'owner', uid: 1337}]});
	const first = writer.write([rules(), rules()]);
	t.is(first.nodes.length, 4);
	const second = writer.write({again: rules()});
	t.is(second.nodes.length, 1);
});

test('an object that both sides know is written by its name', t => {
	const mesh = {
		name: 'istio', roleOf() {
			return 'role';
		},
	};
	const written = throughJson(new TableWriter(value => value === mesh ? 'istio' : undefined).write({mesh}));
	const read = new TableReader(name => name === 'istio' ? mesh : undefined).read(written) as {mesh: unknown};
	t.is(read.mesh, mesh);
	t.throws(() => new TableReader().read(written), {instanceOf: RangeError, message: /no known kind or name: \{"x":"istio"\}/u});
});

const cyclic: {self?: unknown} = {};
cyclic.self = [cyclic];
for (const [title, value] of [['a function', {call: () => 1}], ['a symbol', Symbol('s')], ['an object of a class', new Date(0)], ['an object within itself', cyclic], ['a set of objects', new Set([{}])], ['a map by objects', new Map([[[], 1]])]] as const) {
	test(`${title} is refused`, t => {
		t.throws(() => new TableWriter().write(value), {instanceOf: RangeError});
	});
}

const damages: ReadonlyArray<readonly [title: string, written: unknown]> = [
	['an index without a node', {slot: [0], nodes: []}],
	['an index that comes later', {slot: [0], nodes: [{a: [[1]]}, {a: []}]}],
	['a negative index', {slot: [-1], nodes: [{u: 0}]}],
	['a slot that is an object', {slot: {length: 1}, nodes: [{u: 0}]}],
	['a node of no kind', {slot: [0], nodes: [{q: 1}]}],
	['bytes that are none', {slot: [0], nodes: [{b: 'xyz'}]}],
	['a number that is none', {slot: [0], nodes: [{n: '1.5'}]}],
];
for (const [title, written] of damages) {
	test(`${title} is refused on reading`, t => {
		t.throws(() => new TableReader().read(written as Written));
	});
}
