import test from 'ava';
import type {Mesh} from '../../../../src/mesh/mesh.js';
import {istio} from '../../../../src/istio/mesh.js';
import {generate} from '../../../../src/istio/generate.js';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {TestbedError} from '../../../../testbed/errors.js';
import {meshNamed, meshOf, typesFor} from '../../../../testbed/inputs/mesh-of-rules.js';
import {kindOfSource} from '../../../../testbed/inputs/source.js';
import {meshes} from '../../../../src/meshes.js';

const ofRelease = generate({...parseReleaseInput('release:1.30'), families: ['ipv4'], backend: 'iptables-nft'});
const foreign = parseSave('*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp -j MARK --set-mark 5\nCOMMIT\n', 'ipv4');

/** A mesh that marks what its pods send, and writes nothing else. */
const marking: Mesh = {
	...istio,
	name: 'marking',
	inputs: ['marking'],
	recognizes: ({tables}) => tables.some(({chains}) => chains.some(({rules}) => rules.some(({target}) => target.kind === 'set-mark'))),
};

for (const [source, ruleSet, name] of [
	['marking:1', ofRelease, 'marking'],
	['release:1.30', foreign, 'istio'],
	['TERM=x release:1.30', foreign, 'istio'],
	['dump.rules', foreign, 'marking'],
	['file:dump.rules', foreign, 'marking'],
	['dump.rules', ofRelease, 'istio'],
	['-', {tables: []}, 'istio'],
] as const) {
	test(`the mesh of ${source} with ${ruleSet === foreign ? 'foreign' : (ruleSet === ofRelease ? 'Istio\'s' : 'no')} rules is ${name}`, t => {
		t.is(meshOf({source, ruleSet}, [istio, marking]).name, name);
	});
}

test('each mesh\'s own inputs are kinds of rule inputs', t => {
	t.deepEqual(meshes.flatMap(({inputs}) => inputs).filter(input => kindOfSource(`${input}:x`) !== input), []);
	t.is(kindOfSource('marking:x'), 'file');
});

test('no two meshes have a name or an input in common', t => {
	for (const list of [meshes.map(({name}) => name), meshes.flatMap(({inputs}) => inputs)]) {
		t.deepEqual([...new Set(list)], list);
	}
});

test('a recorded name goes before what the rules tell; a name that is not known says nothing', t => {
	t.is(meshNamed('istio', {source: '-', ruleSet: foreign}), istio);
	t.is(meshNamed(undefined, {source: '-', ruleSet: ofRelease}), istio);
	t.is(meshNamed('no such mesh', {source: '-', ruleSet: ofRelease}), istio);
});

test('the types of a run are those that are named, or the mesh\'s default ones', t => {
	t.deepEqual(typesFor(istio, undefined), ['1', '2', '3', '4', '5', '6']);
	t.deepEqual(typesFor(istio, ['4b', '1']), ['4b', '1']);
	t.deepEqual(typesFor(istio, ['4B', '1 - 2', '2']), ['4b', '1', '2']);
	t.deepEqual(typesFor(istio, ['3-5']), ['3', '4', '5']); // 4b is none of the usual ones.
	t.deepEqual(typesFor(istio, ['all']), ['1', '2', '3', '4', '4b', '5', '6']);
});

for (const [named, message] of [
	[['1', '7', 'x'], 'There is no type 7, x.'],
	[['toString'], 'There is no type toString.'],
	...['1-9', '0-3', '5-3', '1-', '-3', '1-4b'].map(word => [[word], `There is no type ${word}.`] as const),
] as const) {
	test(`types that are none: ${named.join(', ')}`, t => {
		t.is(t.throws(() => typesFor(istio, named), {instanceOf: TestbedError}).message, message);
	});
}

test('each mesh knows its own rules and no foreign one', t => {
	t.true(istio.recognizes(ofRelease));
	t.false(istio.recognizes(foreign));
	t.false(istio.recognizes({tables: []}));
});
