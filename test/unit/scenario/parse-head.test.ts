/** The head of a scenario file says what parsing all of it says, however the file is written; and what it leaves out is only left out. */

import {readdirSync, readFileSync} from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import {meshes} from '../../../src/meshes.js';
import {InputError} from '../../../src/parsing/input-error.js';
import {parseScenario} from '../../../src/scenario/file/parse.js';
import {parseScenarioHead} from '../../../src/scenario/file/parse-head.js';
import type {ScenarioHead} from '../../../src/scenario/file/types.js';

/** What two heads have in common when they ask for the same runs: places in the file are for errors only. */
function asked({name, rules, insert, backends}: ScenarioHead): unknown {
	return [name, rules.value, insert.map(({value}) => value), backends];
}

function isSame(text: string): boolean {
	return JSON.stringify(asked(parseScenarioHead(text, meshes))) === JSON.stringify(asked(parseScenario(text, meshes)));
}

const shipped = readdirSync('scenarios').map(name => [name, readFileSync(`scenarios/${name}`, 'utf8')] as const);

for (const [name, text] of shipped) {
	test(`the head of ${name}`, t => {
		t.deepEqual(asked(parseScenarioHead(text, meshes)), asked(parseScenario(text, meshes)));
	});
}

const blocks = [
	'version: 1', 'name: a head # with a comment', 'about: >\n  name: not a key,\n  rules: neither', 'rules: |\n  *nat\n  :OUTPUT ACCEPT [0:0]\n\n  COMMIT',
	'insert:\n- -t nat -I OUTPUT 1 -j RETURN\n-   "-t nat -I OUTPUT 2 -j RETURN"', 'backends: [iptables-nft,\n  iptables-legacy]', '# name: a comment in the first column', '',
	'probes:\n- {name: p, from: app, to: "remote:8080", expect: {stops: []  , outcome: dropped}}',
];

test('property: the same head in any order of the keys, with either end of lines', t => {
	fc.assert(fc.property(fc.shuffledSubarray(blocks, {minLength: blocks.length}), fc.constantFrom('\n', '\r\n'), (all, end) => isSame(`${all.join('\n')}\n`.replaceAll('\n', end))));
	t.pass();
});

const probes = 'probes:\n  - {name: p, from: app, to: "remote:8080", expect: {stops: [], outcome: dropped}}\n';

const unusual: Readonly<Record<string, string>> = {
	JSON: JSON.stringify({
		version: 1, name: 'x', about: 'x', rules: 'none', probes: [{
			name: 'p', from: 'app', to: 'remote:8080', expect: {stops: [], outcome: 'dropped'},
		}],
	}, undefined, '\t'),
	'a start of the document': `---\nversion: 1\nname: x\nabout: x\nrules: none\n${probes}`,
	'keys in quotes': `"version": 1\n"name": x\nabout: x\n'rules': none\n${probes}`,
	'an anchor in another key': `version: 1\nabout: &words some words\nname: *words\nrules: none\n${probes}`,
	'all of it indented': `  version: 1\n  name: x\n  about: x\n  rules: none\n  ${probes.replace('\n', '\n  ')}`,
	'a list in the first column': `version: 1\nname: x\nabout: x\nrules: none\nbackends:\n- nftables\n${probes}`,
};

for (const [name, text] of Object.entries(unusual)) {
	test(`written otherwise: ${name}`, t => {
		t.deepEqual(asked(parseScenarioHead(text, meshes)), asked(parseScenario(text, meshes)));
	});
}

const wrong: Readonly<Record<string, string>> = {
	'no rules': `version: 1\nname: x\nabout: x\n${probes}`,
	'a number as the name': `version: 1\nname: 5\nabout: x\nrules: none\n${probes}`,
	'an unknown back end': `version: 1\nname: x\nabout: x\nrules: none\nbackends: [nft]\n${probes}`,
	'the same key twice': `version: 1\nname: x\nname: y\nabout: x\nrules: none\n${probes}`,
	'a control character': `version: 1\nname: "a\\e"\nabout: x\nrules: none\n${probes}`,
	'no mapping': 'name\n',
	nothing: '# nothing\n',
	'two documents': `name: x\nrules: none\n---\n${probes}`,
};

for (const [name, text] of Object.entries(wrong)) {
	test(`a fault in the head: ${name}`, t => {
		const expected = t.throws(() => parseScenario(text, meshes), {instanceOf: InputError});
		const {message} = t.throws(() => parseScenarioHead(text, meshes), {instanceOf: InputError});
		t.is(message, expected.message);
	});
}

test('a fault elsewhere goes unnoticed', t => {
	const text = `version: 1\nname: x\nabout: x\nrules: none\n${probes.replace('remote:8080', 'nowhere')}`;
	t.throws(() => parseScenario(text, meshes), {instanceOf: InputError});
	t.deepEqual(asked(parseScenarioHead(text, meshes)), ['x', 'none', [], undefined]);
});
