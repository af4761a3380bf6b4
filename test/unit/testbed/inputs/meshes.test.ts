import test from 'ava';
import type {Mesh} from '../../../../src/mesh/mesh.js';
import {istio} from '../../../../src/istio/mesh.js';
import {generate} from '../../../../src/istio/generate.js';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {meshes, meshOf, rulesWithMesh} from '../../../../testbed/inputs/meshes.js';

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

test('no two meshes have a name or an input in common', t => {
	for (const list of [meshes.map(({name}) => name), meshes.flatMap(({inputs}) => inputs)]) {
		t.deepEqual([...new Set(list)], list);
	}
});

test('what was read back has the mesh of the input', t => {
	t.deepEqual(rulesWithMesh({source: 'release:1.30', ruleSet: ofRelease}, foreign), {tables: foreign.tables, mesh: istio});
});

test('each mesh knows its own rules and no foreign one', t => {
	t.true(istio.recognizes(ofRelease));
	t.false(istio.recognizes(foreign));
	t.false(istio.recognizes({tables: []}));
});
