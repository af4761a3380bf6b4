/** The text after the options in a help: unchanged if it fits, wrapped again if not, with commands never wrapped. */

import test from 'ava';
import {layOutHelp} from '../../../../../testbed/cli/output/help-text.js';
import {widthOf} from '../../../../../testbed/cli/output/terminal.js';

const text = `
Some words about what this does, in a paragraph that
was wrapped by hand.

Examples:
  testbed diff release:1.24 release:1.30
  iptables-save | testbed diff release:1.30 -      has the pod drifted?
  testbed baseline check baseline.json --format github
                                                   annotations and a summary

Places: pod, remote.
Exit status: 0 equal, 1 something moved.
In a checkout, testbed is a word of this sentence.`;

test('as it is, where it fits', t => {
	t.is(layOutHelp(text, {width: 80, program: 'testbed'}), text);
	t.is(layOutHelp(text, {width: 100, program: 'testbed'}), text);
});

test('narrow: paragraphs are wrapped, what is said of a command stands below it, and no command is broken', t => {
	t.is(layOutHelp(text, {width: 40, program: 'bin/testbed'}), `
Some words about what this does, in a
paragraph that was wrapped by hand.

Examples:
  bin/testbed diff release:1.24 release:1.30
  iptables-save | bin/testbed diff release:1.30 -
      has the pod drifted?
  bin/testbed baseline check baseline.json --format github
      annotations and a summary

Places: pod, remote.
Exit status: 0 equal, 1 something moved.
In a checkout, testbed is a word of this
sentence.`);
});

test('another program: the column of what is said moves with the commands', t => {
	const lines = layOutHelp('Examples:\n  testbed run a      one\n  testbed run abcd   two', {width: 80, program: 'bin/testbed'}).split('\n');
	t.deepEqual(lines, ['Examples:', '  bin/testbed run a     one', '  bin/testbed run abcd  two']);
});

for (const [title, columns, said, width] of [
	['a terminal', 90, undefined, 90],
	['a wide terminal', 300, undefined, 100],
	['a very narrow one', 10, undefined, 40],
	['a terminal goes before COLUMNS', 90, '50', 90],
	['COLUMNS without a terminal', undefined, '50', 50],
	['nothing', undefined, undefined, 80],
	['COLUMNS that says nothing', undefined, 'wide', 80],
	['COLUMNS of nothing', undefined, '0', 80],
] as const) {
	test(`width: ${title}`, t => {
		t.is(widthOf({columns, environment: {COLUMNS: said}}), width);
	});
}
